let wait = |time| sleep(time)./*>*/await;
