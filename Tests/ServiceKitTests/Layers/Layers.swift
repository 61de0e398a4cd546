/// The layers of a source folder, and the uses that run against their order.
struct Layers {
    /// A name that a layer uses although a layer above it declares it.
    struct Upward: Hashable, CustomStringConvertible {
        var file: String
        var name: String
        /// `HTTP/Message → Client`
        var direction: String
        var description: String { "\(file) uses \(name) (\(direction))" }
    }

    /// From top to bottom: folders, and files at the root without `.swift`.
    let order: [String]
    private let files: [(path: String, layer: Int, source: SwiftSource)]
    /// The files that no layer contains.
    let strays: [String]

    /// - Parameter sources: the texts of the files, by their paths within the folder.
    init(_ order: [String], _ sources: [String: String]) {
        self.order = order
        var files: [(path: String, layer: Int, source: SwiftSource)] = []
        var strays: [String] = []
        for (path, text) in sources.sorted(by: { $0.key < $1.key }) {
            if let layer = order.firstIndex(where: { path.hasPrefix("\($0)/") || path == "\($0).swift" }) {
                files.append((path, layer, SwiftSource(text)))
            } else {
                strays.append(path)
            }
        }
        self.files = files
        self.strays = strays
    }

    /// The layers without a file.
    var empty: [String] {
        let used = Set(files.map(\.layer))
        return order.indices.filter { !used.contains($0) }.map { order[$0] }
    }

    private static func isType(_ name: String) -> Bool { name.utf8.first.map { $0 &- UInt8(ascii: "A") < 26 } ?? false }

    /// What is wrong: the uses that run upwards, and the known directions in which none does any more.
    ///
    /// - Parameter known: exceptions, as directions in which uses run upwards: `Receipts → Contributions`.
    func faults(known: Set<String> = []) -> [String] {
        let upward = uses().upward
        return upward.filter { !known.contains($0.direction) }.map(\.description).sorted()
            + known.subtracting(upward.map(\.direction)).sorted().map { "\($0) is known, but there is no such use" }
    }

    /// All uses of names between layers: the names of types at the top level, and those of functions and values there
    /// and of members of extensions that have no namesake.
    func uses() -> (downward: Int, upward: Set<Upward>) {
        var homes: [String: Set<Int>] = [:]
        var namesakes: [String: Int] = [:]
        for file in files { for member in file.source.members { namesakes[member, default: 0] += 1 } }
        for file in files {
            for name in file.source.declared where Self.isType(name) || namesakes[name] == 1 {
                homes[name, default: []].insert(file.layer)
            }
        }
        // Who has a value of a type can use what the type's own layer adds to it.
        for file in files {
            for (type, name) in file.source.extended
            where namesakes[name] == 1 && homes[type]?.contains(file.layer) != true {
                homes[".\(name)", default: []].insert(file.layer)
            }
        }
        var downward = 0
        var upward: Set<Upward> = []
        for file in files {
            for word in file.source.words {
                guard word.isAfterDot || word.isCalled || Self.isType(word.text),
                    let found = homes[word.isAfterDot ? ".\(word.text)" : word.text], !found.contains(file.layer),
                    word.isAfterDot || !file.source.types.contains(word.text)
                else { continue }
                downward += found.count { $0 > file.layer }
                for home in found where home < file.layer {
                    upward.insert(
                        Upward(
                            file: file.path, name: word.text, direction: "\(order[file.layer]) → \(order[home])"))
                }
            }
        }
        return (downward, upward)
    }
}
