//! What a node's applications are told: values of any type, by application, name and type.
//!
//! Who reads and writes them is `application`'s affair.

use std::any::{Any, TypeId};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::lock::RwLock;

type Key = (&'static str, &'static str, TypeId);

/// The values of a node that differ from their defaults.
#[derive(Default)]
pub(crate) struct Settings(RwLock<FxHashMap<Key, Arc<dyn Any + Send + Sync>>>);

impl Settings {
    pub(crate) fn read<T: Any + Clone>(&self, application: &'static str, name: &'static str) -> Option<T> {
        let value = self.0.read().get(&(application, name, TypeId::of::<T>())).cloned()?;
        value.downcast_ref::<T>().cloned()
    }

    /// Returns the value before, if there was one.
    pub(crate) fn write<T: Any + Clone + Send + Sync>(
        &self,
        application: &'static str,
        name: &'static str,
        value: Option<T>,
    ) -> Option<T> {
        let key = (application, name, TypeId::of::<T>());
        let mut values = self.0.write();
        let before = match value {
            Some(value) => values.insert(key, Arc::new(value)),
            None => values.remove(&key),
        };
        drop(values);
        before.as_ref().and_then(|value| value.downcast_ref::<T>().cloned())
    }
}
