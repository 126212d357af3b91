//! The values that cells have defined, by name. One value is stored once, however many cells can see it.
//! Which cell sees which values is decided by whoever folds the maps.

use std::{any::Any, borrow::Cow, collections::BTreeMap, fmt, sync::Arc};

use crate::protocol::Exported;

/// A value that a cell has exported, with the name of its type.
#[derive(Clone)]
pub struct Binding {
    value: Arc<dyn Any + Send + Sync>,
    type_name: &'static str,
    /// The same number stands for an equal value of the same type.
    version: Option<u64>,
}

impl Binding {
    /// Wraps a value.
    pub fn new<T: Any + Send + Sync>(value: Arc<T>) -> Self {
        Self { value, type_name: std::any::type_name::<T>(), version: None }
    }

    /// The value itself.
    pub fn value(&self) -> &Arc<dyn Any + Send + Sync> {
        &self.value
    }

    /// What its notebook hears of it.
    pub(crate) fn describe(&self, name: &str) -> Exported {
        Exported { name: name.to_owned(), version: self.version }
    }

    pub(super) fn set_version(&mut self, version: Option<u64>) {
        self.version = version;
    }

    /// The name of the value's type, for messages.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name)
    }
}

/// A map of bindings that costs one counter to clone; a clone that is changed leaves the others as they were.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    map: Arc<BTreeMap<Cow<'static, str>, Binding>>,
}

impl Bindings {
    /// The binding of this name.
    pub fn get(&self, name: &str) -> Option<&Binding> {
        self.map.get(name)
    }

    /// Adds a binding; one of the same name is replaced, as a later `let` shadows an earlier one.
    pub fn insert(&mut self, name: impl Into<Cow<'static, str>>, binding: Binding) {
        Arc::make_mut(&mut self.map).insert(name.into(), binding);
    }

    /// Adds all bindings of `later`, which win over those of the same name.
    pub fn extend(&mut self, later: &Bindings) {
        if !later.map.is_empty() {
            Arc::make_mut(&mut self.map)
                .extend(later.map.iter().map(|(name, binding)| (name.clone(), binding.clone())));
        }
    }

    /// All names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Binding)> {
        self.map.iter().map(|(name, binding)| (&**name, binding))
    }
}
