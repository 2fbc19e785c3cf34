//! Declarations of the installed library's C API.

use std::path::PathBuf;

/// What is declared of NSPR and NSS, which are large; what these name is, too.
const ITEMS: &str = "(CERT|PR|SSL)_[A-Z].*|__CERT_.*|CERTCertListNode|NSS(_|Base64_)[A-Z].*|KU_DIGITAL_SIGNATURE\
    |PK11_(ExtractKeyValue|FreeSlot|GetInternalSlot|GetKeyData|HashBuf|ImportDERPrivateKeyInfoAndReturnKey)\
    |PRShutdownHow|SECErrorCodes|SECITEM_FreeItem|SECKEY_(Copy|Destroy)PrivateKey|SSLErrorCodes\
    |SSL(AntiReplayContext|ExtensionHandler|ExtensionWriter|ResumptionTokenCallback|SecretCallback)";

fn main() {
    let library = pkg_config::Config::new()
        .atleast_version("3.80")
        .probe("nss")
        .expect("libnss3-dev is installed");
    let includes = library
        .include_paths
        .iter()
        .map(|path| format!("-I{}", path.display()));
    let headers = [
        "nss", "ssl", "sslexp", "sslproto", "sslerr", "secerr", "cert", "keyhi", "pk11pub",
        "nssb64", "prio", "prerror", "prtime",
    ];
    let headers = headers.map(|name| format!("#include <{name}.h>\n"));
    // The library exports this one under two underscores, and its headers do not.
    let declared = "CERTCertificate *__CERT_DecodeDERCertificate(SECItem *, PRBool, char *);";
    let bindings = bindgen::builder()
        .header_contents("library.h", &(headers.concat() + declared))
        .clang_args(includes)
        .allowlist_item(ITEMS)
        .prepend_enum_name(false)
        .generate_cstr(true)
        .merge_extern_blocks(true)
        .derive_default(true)
        .layout_tests(false)
        .generate()
        .expect("the headers are read");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    bindings
        .write_to_file(out.join("nss.rs"))
        .expect("the declarations are written");
}
