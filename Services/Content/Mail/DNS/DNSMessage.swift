/// A question for a recursive server (RFC 1035): the records of one type of one name.
struct DNSQuery: Hashable, Sendable {
    enum RecordType: UInt16, Sendable {
        case mx = 15
        case txt = 16
    }

    /// The length of a response over UDP that crosses every network in one piece (RFC 6891, 6.2.5).
    static let longestDatagram: UInt16 = 1232

    let type: RecordType
    /// In lower case: each label after its length, without the root at the end.
    let name: [UInt8]

    /// - Parameter name: letters, digits, hyphens and underscores (`_dmarc.club.example`), with A-labels, without a
    ///   final dot; nil for any other text, which no name of ours is.
    init?(_ name: String, _ type: RecordType) {
        var wire: [UInt8] = []
        guard name.utf8.count < DNSReader.longestName else { return nil }
        for label in name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count) else { return nil }
            wire.append(UInt8(label.count))
            for byte in label {
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): wire.append(byte | 0x20)
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "_"):
                    wire.append(byte)
                default: return nil
                }
            }
        }
        self.type = type
        self.name = wire
    }

    /// The message that asks for it, with recursion, and with EDNS (RFC 6891) so that most responses fit a datagram.
    func message(id: UInt16) -> [UInt8] {
        let header: [UInt16] = [id, 0x0100, 1, 0, 0, 1]
        let question = [type.rawValue, DNSResponse.internetClass]
        let options = [DNSResponse.optionsType, Self.longestDatagram, 0, 0, 0]
        return Self.bytes(header) + name + [0] + Self.bytes(question) + [0] + Self.bytes(options)
    }

    private static func bytes(_ fields: [UInt16]) -> [UInt8] {
        fields.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }
}

/// What a server responds to a query.
enum DNSResponse: Hashable, Sendable {
    /// The records, and the seconds for which all of them may be remembered.
    case records([DNSRecord], lifetime: UInt32)
    /// There are none; the seconds for which that may be remembered, if the server says so (RFC 2308).
    case missing(lifetime: UInt32?)
    /// The whole response does not fit a datagram.
    case truncated
    /// An error, by its RCODE (RFC 1035, 4.1.1; RFC 6891, 6.1.3).
    case failed(code: Int)
    /// Not an answer, but the servers of a zone below: the server does not resolve names for others.
    case referred

    static let internetClass: UInt16 = 1
    static let optionsType: UInt16 = 41
    private static let aliasType: UInt16 = 5
    private static let serverType: UInt16 = 2
    private static let authorityType: UInt16 = 6
    /// No name has that many; the time that a response takes stays bounded.
    private static let mostRecords = 500
    private static let mostAliases = 16

    /// Reads a message in response to `query`.
    init(_ bytes: [UInt8], to query: DNSQuery, id: UInt16) throws(DNSMessageFault) {
        var reader = DNSReader(bytes)
        let flags = try Self.flags(&reader, query, id)
        if flags & 0x0200 != 0 {
            self = .truncated
            return
        }
        var contents = Contents(code: Int(flags & 0xF))
        try contents.read(&reader, for: query)
        guard contents.code == 0 || contents.code == 3 else {
            self = .failed(code: contents.code)
            return
        }
        var (name, lifetime) = (query.name, UInt32.max)
        for _ in 0..<Self.mostAliases {
            guard let alias = contents.aliases[name] else { break }
            name = alias.target
            lifetime = min(lifetime, alias.lifetime)
        }
        let records = contents.records.filter { $0.owner == name }
        if !records.isEmpty {
            self = .records(records.map(\.record), lifetime: records.reduce(lifetime) { min($0, $1.lifetime) })
        } else if contents.isReferral {
            self = .referred
        } else {
            self = .missing(lifetime: contents.negativeLifetime)
        }
    }

    /// Checks that the message responds to the query; a forged one has to guess the identifier (RFC 5452, 9.1).
    private static func flags(_ reader: inout DNSReader, _ query: DNSQuery, _ id: UInt16) throws(DNSMessageFault)
        -> UInt16
    {
        guard reader.bytes.count >= DNSReader.headerLength, try reader.short() == id else { throw .foreign }
        let flags = try reader.short()
        // A response (QR) to a standard query (OPCODE 0) with one question.
        guard flags & 0xF800 == 0x8000, try reader.short() == 1 else { throw .foreign }
        _ = try reader.bytes(6)
        guard try reader.name() == query.name, try reader.short() == query.type.rawValue,
            try reader.short() == internetClass
        else { throw .foreign }
        return flags
    }

    /// The sections after the question.
    private struct Contents {
        /// The RCODE.
        var code: Int
        var aliases: [[UInt8]: (target: [UInt8], lifetime: UInt32)] = [:]
        var records: [(owner: [UInt8], record: DNSRecord, lifetime: UInt32)] = []
        var negativeLifetime: UInt32?
        private var hasServers = false

        init(code: Int) {
            self.code = code
        }

        /// RFC 2308, 2.2: a response without records names the zone's servers and no SOA record.
        var isReferral: Bool { code == 0 && hasServers && negativeLifetime == nil }

        mutating func read(_ reader: inout DNSReader, for query: DNSQuery) throws(DNSMessageFault) {
            let counts = stride(from: 6, to: DNSReader.headerLength, by: 2).map { place in
                Int(reader.bytes[place]) << 8 | Int(reader.bytes[place + 1])
            }
            guard counts.reduce(0, +) <= DNSResponse.mostRecords else { throw .garbled }
            for (section, count) in counts.enumerated() {
                for _ in 0..<count { try readRecord(&reader, section: section, for: query) }
            }
        }

        private mutating func readRecord(_ reader: inout DNSReader, section: Int, for query: DNSQuery)
            throws(DNSMessageFault)
        {
            let owner = try reader.name()
            let type = try reader.short()
            let dataClass = try reader.short()
            let time = try reader.long()
            let end = Int(try reader.short()) + reader.index
            guard end <= reader.bytes.count else { throw .garbled }
            // RFC 2181, 8: a time with the highest bit set is none.
            let lifetime = time >> 31 == 0 ? time : 0
            switch (section, type) {
            case (2, DNSResponse.optionsType): code |= Int(time >> 24) << 4
            case (_, _) where dataClass != DNSResponse.internetClass: break
            case (0, query.type.rawValue):
                records.append((owner, try Self.data(&reader, query.type, end: end), lifetime))
            case (0, DNSResponse.aliasType): aliases[owner] = (try reader.name(), lifetime)
            case (1, DNSResponse.serverType): hasServers = true
            case (1, DNSResponse.authorityType):
                _ = try (reader.name(), reader.name(), reader.bytes(16))
                negativeLifetime = min(lifetime, try reader.long())
            default: break
            }
            guard reader.index <= end else { throw .garbled }
            _ = try reader.bytes(end - reader.index)
        }

        private static func data(_ reader: inout DNSReader, _ type: DNSQuery.RecordType, end: Int)
            throws(DNSMessageFault) -> DNSRecord
        {
            switch type {
            case .mx:
                let preference = Int(try reader.short())
                return .exchanger(MailExchanger(preference: preference, host: presentation(try reader.name())))
            case .txt:
                // The strings of a record are one text (RFC 7208, 3.3).
                var text: [UInt8] = []
                while reader.index < end { text += try reader.bytes(Int(try reader.byte())) }
                return .text(String(decoding: text, as: UTF8.self))
            }
        }

        /// RFC 1035, 5.1: other bytes than those of host names as decimal numbers, so that no label can pass for two.
        private static func presentation(_ name: [UInt8]) -> String {
            var text = ""
            var index = 0
            while index < name.count {
                let end = index + 1 + Int(name[index])
                if index > 0 { text += "." }
                for byte in name[(index + 1)..<end] {
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "-"), UInt8(ascii: "_"):
                        text.unicodeScalars.append(Unicode.Scalar(byte))
                    default:
                        let digits = String(byte)
                        text += "\\" + String(repeating: "0", count: 3 - digits.utf8.count) + digits
                    }
                }
                index = end
            }
            return text
        }
    }
}
