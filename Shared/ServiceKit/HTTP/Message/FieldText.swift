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
        let expected = UnsafeBufferPointer(start: lowercase.utf8Start, count: lowercase.utf8CodeUnitCount)
        func isSame(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
            guard bytes.count == expected.count else { return false }
            for (byte, expected) in zip(bytes, expected) {
                guard (byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte) == expected else { return false }
            }
            return true
        }
        return utf8.withContiguousStorageIfAvailable(isSame) ?? Array(utf8).withUnsafeBufferPointer(isSame)
    }
}
