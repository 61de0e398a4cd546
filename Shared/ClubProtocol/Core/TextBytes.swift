import Glibc

/// Texts as bytes.
///
/// Swift compares and hashes strings by canonical equivalence and splits them into grapheme clusters: anything
/// outside ASCII is normalized or looked up each time, at a cost that the sender of the text controls. Text from
/// outside is compared, looked up and split with these functions instead; `TextLintTests` enforces it.
///
/// What every request calls is inlinable: a generic function of another module is otherwise called without being
/// specialized, which costs as much as the rest of reading a head.
extension StringProtocol {
    /// Whether two texts are the same bytes. Swift's `==` treats the Kelvin sign as equal to K, and é as equal to e
    /// with a combining accent.
    @inlinable
    package func hasSameBytes(as other: some StringProtocol) -> Bool {
        let isSame = utf8.withContiguousStorageIfAvailable { bytes in
            other.utf8.withContiguousStorageIfAvailable { areSame(bytes, $0) }
        }
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }

    /// Whether a byte occurs in it.
    @inlinable
    package func hasByte(_ byte: UInt8) -> Bool {
        utf8.withContiguousStorageIfAvailable { $0.contains(byte) } ?? utf8.contains(byte)
    }

    @inlinable
    package func hasBytePrefix(_ prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

    @inlinable
    package func hasByteSuffix(_ suffix: some StringProtocol) -> Bool {
        utf8.count >= suffix.utf8.count && utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    /// Splits at an ASCII byte.
    package func split(atByte byte: UInt8, maxSplits: Int = .max, omittingEmpty: Bool = false) -> [SubSequence] {
        utf8.split(separator: byte, maxSplits: maxSplits, omittingEmptySubsequences: omittingEmpty).map { part in
            self[part.startIndex..<part.endIndex]
        }
    }

    /// A to Z in lower case, everything else unchanged.
    @inlinable
    package var asciiLowercased: String { mappingBytes { $0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0 } }

    /// a to z in upper case, everything else unchanged.
    @inlinable
    package var asciiUppercased: String { mappingBytes { $0 &- UInt8(ascii: "a") < 26 ? $0 & 0xDF : $0 } }

    /// - Parameter transform: maps ASCII to ASCII and leaves every other byte unchanged.
    @inlinable
    func mappingBytes(_ transform: (UInt8) -> UInt8) -> String {
        let count = utf8.count
        return String(unsafeUninitializedCapacity: count) { buffer in
            var place = 0
            for byte in utf8 {
                buffer[place] = transform(byte)
                place += 1
            }
            return count
        }
    }

    /// Without white space (Unicode's `White_Space`) at both ends.
    package var trimmingBlanks: SubSequence {
        let scalars = unicodeScalars
        var (start, end) = (scalars.startIndex, scalars.endIndex)
        while start < end, scalars[start].isBlank { start = scalars.index(after: start) }
        while start < end {
            let last = scalars.index(before: end)
            guard scalars[last].isBlank else { break }
            end = last
        }
        return self[start..<end]
    }

    /// Whether it is empty or only white space.
    package var isBlank: Bool { unicodeScalars.allSatisfy(\.isBlank) }

    /// With every CRLF replaced by LF.
    package var withLineFeeds: String {
        guard utf8.contains(0x0D) else { return String(self) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        for byte in utf8 {
            if byte == 0x0A, bytes.last == 0x0D { bytes.removeLast() }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first scalars, at most `count`.
    package func prefix(scalars count: Int) -> SubSequence {
        let end = unicodeScalars.index(startIndex, offsetBy: count, limitedBy: endIndex) ?? endIndex
        return self[..<end]
    }

    /// Without the scalars that match.
    package func removingScalars(where goes: (Unicode.Scalar) -> Bool) -> String {
        var kept = String.UnicodeScalarView()
        for scalar in unicodeScalars where !goes(scalar) { kept.append(scalar) }
        return String(kept)
    }

    /// Whether it is all ASCII.
    package var isASCII: Bool {
        utf8.withContiguousStorageIfAvailable { ASCII.end(of: $0) == $0.count } ?? utf8.allSatisfy { $0 < 0x80 }
    }

    /// Whether it could be one of our names: a key, a parameter, an enumeration value. They are short ASCII, so
    /// nothing else needs to be compared with them.
    var couldBeName: Bool { utf8.count <= 64 && isASCII }
}

extension Unicode.Scalar {
    /// Whether it is white space, line breaks included. ASCII is decided without Unicode's tables.
    package var isBlank: Bool {
        value < 0x80 ? value == 0x20 || (0x09...0x0D).contains(value) : properties.isWhitespace
    }
}

extension Unicode.Scalar {
    /// Whether it ends a line: LF, CR, or one of Unicode's other line terminators.
    package var endsLine: Bool {
        switch value {
        case 0x0A...0x0D, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}

/// A text as a set element or dictionary key, compared and hashed by its bytes.
package struct ByteKey: Hashable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (left: Self, right: Self) -> Bool { left.text.hasSameBytes(as: right.text) }

    package func hash(into hasher: inout Hasher) {
        let isDone: Void? = text.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isDone == nil { for byte in text.utf8 { hasher.combine(byte) } }
    }
}

/// Compares as many bytes at a time as the processor can: tokens are long.
@usableFromInline
func areSame(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    guard let start = left.baseAddress, let other = right.baseAddress else { return true }
    return memcmp(start, other, left.count) == 0
}

/// Scans bytes eight at a time.
package enum ASCII {
    /// The end of the ASCII bytes that it begins with.
    package static func end(of bytes: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> Int {
        let raw = UnsafeRawBufferPointer(bytes)
        var index = start
        while index + 8 <= raw.count {
            let high = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080
            if high != 0 { return index + UInt64(littleEndian: high).trailingZeroBitCount / 8 }
            index += 8
        }
        while index < raw.count, raw[index] < 0x80 { index += 1 }
        return index
    }

    /// Whether all bytes are visible ASCII, spaces or tabs: what a header field may contain (RFC 9110, 5.5, without
    /// `obs-text`).
    package static func isField(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let raw = UnsafeRawBufferPointer(bytes)
        var index = 0
        // Borrows and carries between bytes can only flag a valid word for the exact check, never miss an invalid
        // one.
        while index + 8 <= raw.count {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let doubtful = (word | (word &- 0x2020_2020_2020_2020) | (word &+ 0x0101_0101_0101_0101))
            if doubtful & 0x8080_8080_8080_8080 != 0, !raw[index..<(index + 8)].allSatisfy(isField) { return false }
            index += 8
        }
        return raw[index...].allSatisfy(isField)
    }

    private static func isField(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) || byte == 0x09 }
}
