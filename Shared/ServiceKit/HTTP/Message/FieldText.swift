import ClubProtocol

extension String {
    /// Whether this is a valid value of a header field: visible ASCII, spaces and tabs (RFC 9110, 5.5). `obs-text`,
    /// which servers used to accept, has no agreed meaning.
    var isFieldValue: Bool {
        utf8.withContiguousStorageIfAvailable(ASCII.isField) ?? Array(utf8).withUnsafeBufferPointer(ASCII.isField)
    }
}

extension StringProtocol {
    /// Whether this equals `lowercase`, ignoring the case of ASCII letters.
    func isField(_ lowercase: StaticString) -> Bool {
        guard utf8.count == lowercase.utf8CodeUnitCount else { return false }
        var expected = lowercase.utf8Start
        for byte in utf8 {
            let folded = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            guard folded == expected.pointee else { return false }
            expected += 1
        }
        return true
    }
}
