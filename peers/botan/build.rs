//! Compiles what stands between Rust and the library, declares it, and links the library that prepare-library built.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=BOTAN_PREFIX");
    for source in ["src/shim.cpp", "src/shim.h"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let folder = |name| env::var_os(name).map(PathBuf::from);
    let prefix = folder("BOTAN_PREFIX").expect("`reqmtls peers --build` sets it");
    cc::Build::new()
        .cpp(true)
        .std("c++20")
        .flag("-isystem")
        .flag(prefix.join("include/botan-3"))
        .file("src/shim.cpp")
        .compile("reqmtls-botan");
    println!(
        "cargo::rustc-link-search=native={}",
        prefix.join("lib").display()
    );
    println!("cargo::rustc-link-lib=static=botan-3");
    // Once more, behind the library that needs it.
    println!("cargo::rustc-link-lib=stdc++");
    bindgen::builder()
        .header("src/shim.h")
        .clang_args(["-x", "c++"])
        .allowlist_file(".*/shim.h")
        .layout_tests(false)
        .generate()
        .expect("the header is read")
        .write_to_file(folder("OUT_DIR").expect("cargo sets it").join("shim.rs"))
        .expect("the declarations are written");
}
