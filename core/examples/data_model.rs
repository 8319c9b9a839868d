//! Prints docs/data-model.md from the schema.
#![allow(clippy::print_stdout)]

fn main() {
    print!("{}", wanhu_core::domain::schema::Schema::base().to_markdown());
}
