//! What is particular to this peer; what the contract asks of every peer is for `reqmtls check-peer`.
