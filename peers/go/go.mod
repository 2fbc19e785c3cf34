module reqmtls/peer

go 1.21
