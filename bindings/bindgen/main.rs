//! Writes the Kotlin, Swift and Python side of the boundary from the built library; of the same version as the library's
//! own half. Must not know what the library does.

fn main() {
    uniffi::uniffi_bindgen_main();
}
