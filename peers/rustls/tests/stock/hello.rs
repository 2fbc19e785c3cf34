//! Records and hellos as no library would make them.

/// Extensions by number, in the order of the message.
pub(crate) type Extensions = Vec<(u16, Vec<u8>)>;

const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;
const PSK_KEY_EXCHANGE_MODES: u16 = 45;
const KEY_SHARE: u16 = 51;

const SECP256R1: u16 = 23;
const X25519: u16 = 29;

pub(crate) fn record(typ: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    [&[typ, 3, 3][..], &length.to_be_bytes(), payload].concat()
}

/// Records of the handshake type with these lengths, the last again and again.
pub(crate) fn fragments(message: &[u8], lengths: &[usize]) -> Vec<u8> {
    let mut rest = message;
    let mut records = Vec::new();
    let mut lengths = lengths.iter().copied();
    let mut length = lengths.next().unwrap_or(message.len());
    while !rest.is_empty() {
        let (fragment, behind) = rest.split_at(length.clamp(1, rest.len()));
        records.extend(record(22, fragment));
        rest = behind;
        length = lengths.next().unwrap_or(length);
    }
    records
}

fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    [&length[length.len() - width..], content].concat()
}

/// The extensions of a ClientHello for a server of TLS 1.3 with the group x25519.
pub(crate) fn extensions(key_share: u16) -> Extensions {
    let share = match key_share {
        X25519 => vec![9; 32],
        // The base point, which is on the curve.
        _ => SECP256R1_POINT.to_vec(),
    };
    let share = [key_share.to_be_bytes().to_vec(), vector(2, &share)].concat();
    let groups = [X25519.to_be_bytes(), SECP256R1.to_be_bytes()].concat();
    vec![
        (SUPPORTED_VERSIONS, vec![2, 3, 4]),
        (SIGNATURE_ALGORITHMS, vector(2, &[8, 7, 4, 3])), // ed25519, ecdsa_secp256r1_sha256
        (SUPPORTED_GROUPS, vector(2, &groups)),
        (KEY_SHARE, vector(2, &share)),
    ]
}

/// Those of a ClientHello that the server answers at once.
pub(crate) fn direct() -> Extensions {
    extensions(X25519)
}

/// Those of a ClientHello that the server answers with HelloRetryRequest.
pub(crate) fn retried() -> Extensions {
    extensions(SECP256R1)
}

/// Offers a session that no server knows, and early data with it.
pub(crate) fn with_early_data(mut extensions: Extensions, early_data: bool) -> Extensions {
    if early_data {
        extensions.push((EARLY_DATA, Vec::new()));
    }
    extensions.push((PSK_KEY_EXCHANGE_MODES, vec![1, 1]));
    let identity = [vector(2, &[7; 32]), vec![0; 4]].concat();
    let binder = vector(1, &[8; 32]);
    extensions.push((
        PRE_SHARED_KEY,
        [vector(2, &identity), vector(2, &binder)].concat(),
    ));
    extensions
}

pub(crate) fn client_hello(extensions: &Extensions) -> Vec<u8> {
    let mut block = Vec::new();
    for (number, data) in extensions {
        block.extend(number.to_be_bytes());
        block.extend(vector(2, data));
    }
    let mut body = vec![3, 3];
    body.extend([0xab; 32]);
    body.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
    body.extend(vector(2, &block));
    [vec![1], vector(3, &body)].concat()
}

const SECP256R1_POINT: [u8; 65] = [
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
    0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2,
    0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e,
    0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51,
    0xf5,
];
