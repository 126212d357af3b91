//! A map for what most processes have none or one of: links, monitors, aliases.
//!
//! The first entry needs no allocation; more are a hash map, as a hub may have a hundred thousand.

use std::hash::Hash;

use rustc_hash::FxHashMap;

#[derive(Default)]
pub(crate) enum Few<K, V> {
    #[default]
    None,
    One(K, V),
    Many(Box<FxHashMap<K, V>>),
}

impl<K: Eq + Hash, V> Few<K, V> {
    /// Adds an entry, or replaces the one of the same key.
    #[inline]
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self {
            Few::Many(map) => {
                map.insert(key, value);
            }
            Few::One(known, _) if *known != key => {
                if let Few::One(known, kept) = std::mem::take(self) {
                    *self = Few::Many(Box::new(FxHashMap::from_iter([(known, kept), (key, value)])));
                }
            }
            Few::None | Few::One(..) => *self = Few::One(key, value),
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        match self {
            Few::One(known, _) if known == key => match std::mem::take(self) {
                Few::One(_, value) => Some(value),
                Few::None | Few::Many(_) => None,
            },
            Few::Many(map) => map.remove(key),
            Few::None | Few::One(..) => None,
        }
    }

    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self {
            Few::One(known, value) if known == key => Some(value),
            Few::Many(map) => map.get(key),
            Few::None | Few::One(..) => None,
        }
    }

    pub(crate) fn retain(&mut self, wanted: impl Fn(&K, &V) -> bool) {
        match self {
            Few::One(key, value) if !wanted(key, value) => *self = Few::None,
            Few::Many(map) => map.retain(|key, value| wanted(key, value)),
            Few::None | Few::One(..) => (),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let (one, many) = match self {
            Few::None => (None, None),
            Few::One(key, value) => (Some((key, value)), None),
            Few::Many(map) => (None, Some(map.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

impl<K, V> IntoIterator for Few<K, V> {
    type Item = (K, V);
    type IntoIter = std::iter::Chain<
        std::option::IntoIter<(K, V)>,
        std::iter::Flatten<std::option::IntoIter<std::collections::hash_map::IntoIter<K, V>>>,
    >;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Few::None => (None, None),
            Few::One(key, value) => (Some((key, value)), None),
            Few::Many(map) => (None, Some(map.into_iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 256 }))]
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec((0..4_u8, any::<Option<u8>>()), 0..40)) {
            let (mut few, mut map) = (Few::default(), BTreeMap::new());
            for (key, step) in steps {
                match step {
                    Some(value) => {
                        few.insert(key, value);
                        map.insert(key, value);
                    }
                    None => prop_assert_eq!(few.remove(&key), map.remove(&key)),
                }
                prop_assert!((0..4).all(|key| few.get(&key) == map.get(&key)));
                prop_assert_eq!(few.iter().map(|(k, v)| (*k, *v)).collect::<BTreeMap<_, _>>(), map.clone());
            }
            prop_assert_eq!(few.into_iter().collect::<BTreeMap<_, _>>(), map);
        }
    }
}
