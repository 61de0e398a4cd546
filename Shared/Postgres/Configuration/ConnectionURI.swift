/// `postgres://user:password@host1:port1,host2:port2/dbname?keyword=value&…`, where everything is optional and all
/// parts are percent-encoded.
extension ConnectionString {
    mutating func readURI(_ text: ArraySlice<UInt8>) throws(InvalidURL) {
        var rest = text
        try readCredentials(&rest)
        try readHosts(&rest)
        if rest.first == UInt8(ascii: "/") {
            let name = rest.dropFirst().prefix { $0 != UInt8(ascii: "?") }
            rest = rest[name.endIndex...]
            try setDecoded("dbname", name)
        }
        if rest.popFirst() == UInt8(ascii: "?") { try readParameters(rest) }
    }

    /// An empty part leaves the value to the environment.
    private mutating func setDecoded(_ keyword: String, _ part: some Collection<UInt8>) throws(InvalidURL) {
        if !part.isEmpty { try set(keyword.utf8, try decode(part)) }
    }

    /// Up to the first `@`, unless a `/` comes before it.
    private mutating func readCredentials(_ rest: inout ArraySlice<UInt8>) throws(InvalidURL) {
        let part = rest.prefix { $0 != UInt8(ascii: "@") && $0 != UInt8(ascii: "/") }
        guard part.endIndex < rest.endIndex, rest[part.endIndex] == UInt8(ascii: "@") else { return }
        rest = rest[(part.endIndex + 1)...]
        let user = part.prefix { $0 != UInt8(ascii: ":") }
        try setDecoded("user", user)
        try setDecoded("password", part[user.endIndex...].dropFirst())
    }

    /// Both lists have an element for each host, so that hosts and ports pair up.
    private mutating func readHosts(_ rest: inout ArraySlice<UInt8>) throws(InvalidURL) {
        var hosts: [UInt8] = []
        var ports: [UInt8] = []
        while true {
            hosts += try host(&rest)
            if rest.first == UInt8(ascii: ":") {
                let port = rest.dropFirst().prefix { !"/?,".utf8.contains($0) }
                rest = rest[port.endIndex...]
                ports += port
            }
            guard rest.first == UInt8(ascii: ",") else { break }
            rest.removeFirst()
            hosts.append(UInt8(ascii: ","))
            ports.append(UInt8(ascii: ","))
        }
        try setDecoded("host", hosts)
        try setDecoded("port", ports)
    }

    /// Leaves what follows it: a port, another host, a database, parameters or nothing.
    private func host(_ rest: inout ArraySlice<UInt8>) throws(InvalidURL) -> ArraySlice<UInt8> {
        guard rest.first == UInt8(ascii: "[") else {
            let host = rest.prefix { !":/?,".utf8.contains($0) }
            rest = rest[host.endIndex...]
            return host
        }
        let host = rest.dropFirst().prefix { $0 != UInt8(ascii: "]") }
        rest = rest[host.endIndex...]
        guard rest.popFirst() != nil, !host.isEmpty, rest.first.map({ ":/?,".utf8.contains($0) }) ?? true else {
            throw InvalidURL(.malformed)
        }
        return host
    }

    private mutating func readParameters(_ text: ArraySlice<UInt8>) throws(InvalidURL) {
        var parameters = text.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
        // An ampersand may end the list.
        if parameters.last?.isEmpty == true { parameters.removeLast() }
        for parameter in parameters {
            let parts = parameter.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw InvalidURL(.malformed) }
            let (keyword, value) = (try decode(parts[0]), try decode(parts[1]))
            // As JDBC writes it.
            if keyword.elementsEqual("ssl".utf8), value.elementsEqual("true".utf8) {
                try set("sslmode".utf8, "require".utf8)
            } else {
                try set(keyword, value)
            }
        }
    }

    private func decode(_ text: some Collection<UInt8>) throws(InvalidURL) -> [UInt8] {
        var decoded: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimal), let low = rest.popFirst().flatMap(hexadecimal),
                high | low != 0
            else { throw InvalidURL(.malformed) }
            decoded.append(high << 4 | low)
        }
        return decoded
    }

    private func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
