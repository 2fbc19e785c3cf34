module reqmtls/peer

go 1.24
