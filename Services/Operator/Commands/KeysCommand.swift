import ArgumentParser
import ClubProtocol
import CommandKit
import FoundationEssentials
import ServiceKit

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Creates the keys that sign tokens.",
        subcommands: [Initialize.self, Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Checks whether a file can be used as the trust file, before it replaces the old one.",
            discussion: """
                A running service that finds a trust file it cannot use keeps the previous one in force: a key that was \
                removed from the broken one is still trusted. Check the file first, then move it into place.
                """)

        @Argument(help: "The file.")
        var file: String

        func run() throws {
            do {
                print("\(file): \(try TrustFile(path: file).check(path: file)) keys")
            } catch {
                throw CommandFailure("\(error)")
            }
        }
    }

    struct Initialize: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Creates the operator's key, one for each service, and the trust file with the public keys.",
            discussion: "Existing keys are kept; nothing is overwritten.")

        @Option(help: "The folder to write to; it is created if it is missing.")
        var directory: String = "keys"

        func run() throws {
            do {
                try OpenFile.makeFolder(directory, mode: 0o700)
            } catch {
                throw CommandFailure("the folder \(directory) cannot be created: \(error)")
            }
            var trusted: [TrustFile.Key] = []
            for name in ["operator"] + ServiceName.allCases.map(\.rawValue) {
                let path = "\(directory)/\(name).json"
                let key: KeyFile
                do {
                    if FileManager.default.fileExists(atPath: path) {
                        key = try KeyFile(path: path)
                        print("kept    \(path)")
                    } else {
                        key = try KeyFile.generate(kid: "\(name)-\(Day.today)")
                        try key.write(to: path)
                        print("created \(path)")
                    }
                } catch {
                    throw CommandFailure("\(error)")
                }
                trusted.append(
                    TrustFile.Key(key, speaksFor: [ServiceName(rawValue: name).map { .service($0) } ?? .people]))
            }
            let path = "\(directory)/trust.json"
            if FileManager.default.fileExists(atPath: path) {
                print("kept    \(path)")
            } else {
                do { try TrustFile(keys: trusted).write(to: path) } catch { throw CommandFailure("\(error)") }
                print("created \(path)")
            }
        }
    }
}
