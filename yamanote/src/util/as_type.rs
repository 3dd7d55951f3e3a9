//! Whether a generic parameter is a certain type, where nothing says that it lives for `'static`.

use std::any::TypeId;
use std::marker::PhantomData;
use std::mem;

/// The value as a `U`, if that is what `T` is.
///
/// # Safety
/// Types that differ in their lifetimes only cannot be told apart. So `U` must have no lifetime parameters, or be covariant
/// in them, and then the caller must not use what it gets as if these lifetimes were longer than that of the reference.
pub(crate) unsafe fn as_type<T: ?Sized, U: 'static>(value: &T) -> Option<&U> {
    // SAFETY: the types are the same but for lifetimes, which are the caller's business.
    (id_of::<T>() == TypeId::of::<U>()).then(|| unsafe { &*std::ptr::from_ref(value).cast::<U>() })
}

/// The identity of `T` with all its lifetimes taken for `'static`.
fn id_of<T: ?Sized>() -> TypeId {
    trait Named {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }

    impl<T: ?Sized> Named for PhantomData<T> {
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }

    let marker = PhantomData::<T>;
    let named: &dyn Named = &marker;
    // SAFETY: the vtable is the same for all lifetimes, which do not exist any more when code is made. The function
    // behind it touches no `T`, it only names the type; nothing keeps the reference.
    let named = unsafe { mem::transmute::<&dyn Named, &(dyn Named + 'static)>(named) };
    named.id()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_string<T: ?Sized>(value: &T) -> Option<&String> {
        // SAFETY: no lifetime parameters.
        unsafe { as_type::<T, String>(value) }
    }

    #[test]
    fn only_the_type_itself() {
        let text = "text".to_owned();
        assert_eq!(as_string(&text), Some(&text));
        assert_eq!(as_string(&&text), None);
        assert_eq!(as_string(text.as_str()), None);
        assert_eq!(as_string::<dyn std::fmt::Debug>(&text), None);
        assert_eq!(as_string(&mem::ManuallyDrop::new(String::new())), None);
        let borrowed = std::borrow::Cow::Borrowed(text.as_str());
        assert_eq!(as_string(&borrowed), None);
    }
}
