//! What this thread asks of the allocator: a figure that other programs on the machine do not change.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ops::{AddAssign, Sub};

/// Allocations and the bytes asked for; what grows in place counts as one more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allocated {
    pub(crate) times: u64,
    pub(crate) bytes: u64,
}

thread_local! {
    static SO_FAR: Cell<Allocated> = const { Cell::new(Allocated { times: 0, bytes: 0 }) };
}

impl Allocated {
    /// By this thread since it began.
    pub(crate) fn so_far() -> Self {
        SO_FAR.get()
    }

    fn note(bytes: usize) {
        let Self { times, bytes: all } = SO_FAR.get();
        SO_FAR.set(Self {
            times: times + 1,
            bytes: all + bytes as u64,
        });
    }
}

impl AddAssign for Allocated {
    fn add_assign(&mut self, other: Self) {
        self.times += other.times;
        self.bytes += other.bytes;
    }
}

impl Sub for Allocated {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            times: self.times - earlier.times,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

/// An allocator that counts.
pub(crate) struct Counting<A>(pub(crate) A);

#[expect(unsafe_code, reason = "an allocator is made of unsafe functions")]
// SAFETY: everything is passed on unchanged.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Allocated::note(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Allocated::note(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Allocated::note(size);
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.realloc(place, layout, size) }
    }
}
