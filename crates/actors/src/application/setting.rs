//! Settings of applications: typed values with a default, which can be overridden on each node.

use std::any::Any;
use std::fmt;

use crate::current::running;

/// Something that an application can be told: OTP's application environment, with a type and a default.
///
/// A setting belongs to an application and has a name; it is read where it is needed, and can be overridden before
/// the application is started, or while it runs for those who read it again. Each node has its own values.
///
/// ```
/// use greenroom::application::Setting;
///
/// static PORT: Setting<u16> = Setting::new("shop", "port", || 4000);
///
/// greenroom::run(async {
///     assert_eq!(PORT.read(), 4000);
///     assert_eq!(PORT.set(8080), None);
///     assert_eq!(PORT.read(), 8080);
///     assert_eq!(PORT.reset(), Some(8080));
///     assert_eq!(PORT.read(), 4000);
/// });
/// ```
pub struct Setting<T> {
    application: &'static str,
    name: &'static str,
    default: fn() -> T,
}

impl<T: Any + Clone + Send + Sync> Setting<T> {
    /// The setting of this name of an application, and what it is unless it is set.
    pub const fn new(application: &'static str, name: &'static str, default: fn() -> T) -> Self {
        Setting { application, name, default }
    }

    /// The value on this node.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn read(&self) -> T {
        let value = running("Setting::read", |current, _, _| current.inner.settings.read(self.application, self.name));
        value.unwrap_or_else(self.default)
    }

    /// Overrides the value on this node, and returns the one that it was set to before.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn set(&self, value: T) -> Option<T> {
        running("Setting::set", |current, _, _| current.inner.settings.write(self.application, self.name, Some(value)))
    }

    /// Goes back to the default, and returns the value that it was set to.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn reset(&self) -> Option<T> {
        running("Setting::reset", |current, _, _| current.inner.settings.write(self.application, self.name, None))
    }
}

impl<T> fmt::Debug for Setting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting({}.{})", self.application, self.name)
    }
}
