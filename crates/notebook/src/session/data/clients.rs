//! Those who look at the notebook.

use std::collections::btree_map::Entry;

use super::{Data, Refusal};
use crate::session::operation::Client;

impl Data {
    pub(super) fn client(&mut self, operation: &Client) -> Result<(), Refusal> {
        match operation {
            Client::Join { client, visitor } => match self.clients.entry(*client) {
                Entry::Occupied(_) => Err(Refusal::AlreadyJoined(*client)),
                Entry::Vacant(place) => {
                    place.insert(visitor.clone());
                    Ok(())
                }
            },
            Client::Rename { client, name } => {
                let known = self.clients.get_mut(client).ok_or(Refusal::NoSuchClient(*client))?;
                known.name.clone_from(name);
                Ok(())
            }
            Client::Leave(client) => self.clients.remove(client).map(drop).ok_or(Refusal::NoSuchClient(*client)),
        }
    }
}
