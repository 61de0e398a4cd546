/// Why a message cannot be used.
enum DNSMessageFault: Error, Hashable, Sendable {
    /// It does not respond to this query: not a response, or one with another identifier or question.
    case foreign
    /// It is cut, or something in it does not fit.
    case garbled
}

/// Reads the fields of a message in order (RFC 1035, 4.1).
struct DNSReader {
    static let headerLength = 12
    /// RFC 1035, 2.3.4, without the root's length byte at the end.
    static let longestName = 254
    /// Each pointer must lead backwards, so that no chain is endless. Chains are short as well: thousands of names
    /// could otherwise share one that goes through the whole message.
    private static let mostPointers = 16

    let bytes: [UInt8]
    private(set) var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func byte() throws(DNSMessageFault) -> UInt8 {
        guard index < bytes.count else { throw .garbled }
        defer { index += 1 }
        return bytes[index]
    }

    mutating func short() throws(DNSMessageFault) -> UInt16 {
        let high = UInt16(try byte())
        return high << 8 | UInt16(try byte())
    }

    mutating func long() throws(DNSMessageFault) -> UInt32 {
        let high = UInt32(try short())
        return high << 16 | UInt32(try short())
    }

    mutating func bytes(_ count: Int) throws(DNSMessageFault) -> ArraySlice<UInt8> {
        guard count <= bytes.count - index else { throw .garbled }
        defer { index += count }
        return bytes[index..<(index + count)]
    }

    /// A name, in lower case: each label after its length, without the root at the end.
    mutating func name() throws(DNSMessageFault) -> [UInt8] {
        var name: [UInt8] = []
        /// Where the labels come from, and where they began since the last pointer.
        var (place, start) = (index, index)
        var end: Int?
        var pointers = 0
        while place < bytes.count {
            let length = Int(bytes[place])
            switch length >> 6 {
            case 0b00:
                place += 1
                if length == 0 {
                    index = end ?? place
                    return name
                }
                guard length <= bytes.count - place, name.count + 1 + length <= Self.longestName else {
                    throw .garbled
                }
                name.append(UInt8(length))
                for byte in bytes[place..<(place + length)] {
                    name.append(byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte)
                }
                place += length
            case 0b11:
                guard place + 1 < bytes.count else { throw .garbled }
                let target = (length & 0x3F) << 8 | Int(bytes[place + 1])
                pointers += 1
                guard (Self.headerLength..<start).contains(target), pointers <= Self.mostPointers else {
                    throw .garbled
                }
                end = end ?? place + 2
                (place, start) = (target, target)
            // Reserved.
            default: throw .garbled
            }
        }
        throw .garbled
    }
}
