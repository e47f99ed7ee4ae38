//! Prints the description of the interface: `cargo run -p portal --example openapi`.

fn main() {
    println!("{}", portal::openapi_json());
}
