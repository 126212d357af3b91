use /*>*/serd::Serialize;
