/// The Stream-Safe Text Format (UAX #15, 13): at most 30 combining marks after a letter, in the full decomposition
/// (NFKD).
///
/// Normalization sorts each run of marks, which takes quadratic time for runs longer than any script has. Text from
/// outside is checked when it is decoded, so that later code need not guard against this.
package enum StreamSafe {
    /// The maximum number of non-starters (characters with a combining class) in a row.
    package static let longestRun = 30
    /// What is wrong with other texts, as a phrase to follow the field's name.
    package static let refusal = "has more than \(longestRun) combining marks in a row"

    package static func accepts(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable(accepts) ?? Array(text.utf8).withUnsafeBufferPointer(accepts)
    }

    /// - Parameter bytes: valid UTF-8.
    package static func accepts(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = ASCII.end(of: bytes)
        var starter: UInt32 = 0
        var run = 0
        while index < bytes.count {
            guard bytes[index] >= 0x80 else {
                (starter, run) = (0, 0)
                index = ASCII.end(of: bytes, from: index)
                continue
            }
            let scalar = decode(bytes, &index)
            let marks = marks(in: scalar)
            guard marks > 0 else {
                (starter, run) = (scalar, 0)
                continue
            }
            run += marks
            // The starter's own marks count too; they are looked up only when they could decide.
            guard run <= longestRun - 3 || run + marksAtEnd(of: starter) <= longestRun else { return false }
        }
        return true
    }

    /// The scalar at an index, which is advanced past it.
    private static func decode(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> UInt32 {
        let first = bytes[index]
        let count = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        var scalar = UInt32(first) & (0x7F >> UInt32(count))
        for offset in 1..<count where index + offset < bytes.count {
            scalar = scalar << 6 | UInt32(bytes[index + offset] & 0x3F)
        }
        index += count
        return scalar
    }

    /// The number of non-starters in a scalar's decomposition; 0 for a starter.
    private static func marks(in scalar: UInt32) -> Int {
        switch scalar {
        // European letters, ideographs and syllables: no table lookup needed.
        case 0..<0x300, 0x3400..<0xA66F, 0xAC00..<0xD7A4: 0
        // These decompose into two; three of them are starters before that.
        case 0x344, 0xF73, 0xF75, 0xF81: 2
        // The half-width kana marks.
        case 0xFF9E, 0xFF9F: 1
        default: Unicode.Scalar(scalar).map { $0.properties.canonicalCombiningClass == .notReordered ? 0 : 1 } ?? 0
        }
    }

    /// The maximum number of non-starters at the end of a starter's decomposition: one for é. By ranges that contain
    /// such starters.
    private static func marksAtEnd(of starter: UInt32) -> Int {
        switch starter {
        case 0x1E00...0x1FFE: 3
        case 0x1A0...0x233, 0x37A...0x3D4, 0xF76...0xF79, 0xFB1D...0xFB4E, 0xFC5B...0xFC63, 0xFCD9...0xFCF4,
            0x1D15E...0x1D164, 0x1D1BB...0x1D1C0:
            2
        case 0xA8...0x17E, 0x2D8...0x2DD, 0x400...0x477, 0x4C1...0x4F9, 0x622...0x626, 0x6C0...0x6D3, 0x929...0x934,
            0x958...0x95F, 0x9DC...0x9DF, 0xA33...0xA36, 0xA59...0xA5E, 0xB5C...0xB5D, 0xC48, 0xDDA...0xDDD, 0x2017,
            0x203E,
            0x212B, 0x219A...0x21CF, 0x2204...0x2289, 0x22AC...0x22AF, 0x22E0...0x22ED, 0x2ADC, 0x304C...0x30FE,
            0x3304...0x334E, 0xFBA4...0xFBB1, 0xFC90, 0xFD3C...0xFD3D, 0xFE49...0xFE4C, 0xFE70...0xFE8C,
            0xFEF5...0xFEFA, 0xFFE3, 0x105C9...0x105E4, 0x1109A...0x110AB, 0x1F213:
            1
        default: 0
        }
    }
}
