//! What other subsystems keep with a runtime, by type: made when first needed, dropped at shutdown.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Default)]
pub(crate) struct Attachments(Mutex<Vec<Arc<dyn Any + Send + Sync>>>);

impl Attachments {
    /// The runtime's `T`; `make` is called if there is none yet.
    ///
    /// # Errors
    /// Those of `make`.
    #[cfg(unix)]
    pub(crate) fn get_or_try<T: Any + Send + Sync, E>(
        &self,
        make: impl FnOnce() -> Result<Arc<T>, E>,
    ) -> Result<Arc<T>, E> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = all.iter().find_map(|one| Arc::clone(one).downcast::<T>().ok()) {
            return Ok(found);
        }
        let made = make()?;
        all.push(Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
        Ok(made)
    }

    /// Lets go of everything: attachments may hold the runtime, which would hold them.
    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(all);
    }
}
