import AsyncHTTPClient
package import ClubProtocol
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import Synchronization

/// One of the built executables, running as a process of its own.
package final class ServiceProcess: Sendable {
    /// It ended, or never became ready.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) {
            self.description = description
        }
    }

    package let name: ServiceName
    package let port: Int
    package let operatorPort: Int
    private let environment: [String: String]
    private let log: String
    private let running = Mutex<Process?>(nil)

    /// - Parameter environment: the service's environment, besides its ports.
    package init(
        _ name: ServiceName, port: Int, operatorPort: Int, environment: [String: String], log: String
    ) {
        self.name = name
        self.port = port
        self.operatorPort = operatorPort
        self.log = log
        var all = environment
        all["PORT"] = "\(port)"
        all["OPERATOR_PORT"] = "\(operatorPort)"
        all["LOG_LEVEL"] = all["LOG_LEVEL"] ?? "info"
        self.environment = all
    }

    package var url: String { "http://127.0.0.1:\(port)" }
    package var operatorURL: String { "http://127.0.0.1:\(operatorPort)" }
    package var pid: Int32? { running.withLock { $0?.processIdentifier } }
    package var isRunning: Bool { running.withLock { $0?.isRunning ?? false } }
    /// Everything it has logged.
    package var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// Starts it, and by default waits until it is ready.
    package func start(untilReady: Bool = true) async throws {
        let process = try Executable(name.rawValue).process(["serve"], environment: environment, log: log)
        try process.run()
        running.withLock { $0 = process }
        if untilReady { try await waitForReadiness(200) }
    }

    package func signal(_ number: Int32) {
        guard let pid else { return }
        if number == SIGSTOP { suspend(pid) } else { kill(pid, number) }
    }

    /// Waits until it has ended and returns its exit code, or the number of the signal that ended it; nil after
    /// `seconds`.
    @discardableResult package func waitForExit(seconds: Int = 30) async -> Int32? {
        for _ in 0..<(seconds * 50) {
            let process = running.withLock { $0 }
            guard let process, process.isRunning else { return process?.terminationStatus }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return nil
    }

    /// Kills it at the end of a test, whatever state it is in.
    package func destroy() async {
        signal(SIGCONT)
        signal(SIGKILL)
        await waitForExit()
    }

    /// The status of a health page; nil when there is no response.
    package func health(_ page: String) async -> Int? {
        let request = HTTPClientRequest(url: "\(operatorURL)/health/\(page)")
        guard let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(2)) else { return nil }
        return Int(response.status.code)
    }

    /// Polls until the readiness page has this status.
    package func waitForReadiness(_ status: Int, seconds: Int = 30) async throws {
        for _ in 0..<(seconds * 20) {
            if await health("ready") == status { return }
            guard isRunning else {
                throw Failure(description: "\(name.rawValue) ended: \(output.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure(
            description: "\(name.rawValue) did not become \(status) within \(seconds) s: \(output.suffix(2000))")
    }

    /// Resident memory in bytes.
    package var residentBytes: Int? {
        guard let pid, let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "")
        else { return nil }
        return kilobytes * 1024
    }
}

/// An executable that the build has put beside the tests.
package struct Executable: Sendable {
    package let path: String

    package init(_ name: String) throws {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folders = [
            URL(fileURLWithPath: own).deletingLastPathComponent().path,
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path,
            FileManager.default.currentDirectoryPath + "/.build/debug",
        ]
        guard let folder = folders.first(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") })
        else { throw ServiceProcess.Failure(description: "\(name) has not been built") }
        path = "\(folder)/\(name)"
    }

    /// The result of a run: exit code, standard output, standard error.
    package struct Result: Sendable {
        package var status: Int32
        package var output: String
        package var errors: String
    }

    /// Runs it to its end.
    package func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory
        let output = folder.appendingPathComponent("out-\(UUID().uuidString)").path
        let errors = folder.appendingPathComponent("err-\(UUID().uuidString)").path
        defer {
            try? FileManager.default.removeItem(atPath: output)
            try? FileManager.default.removeItem(atPath: errors)
        }
        let process = process(arguments, environment: environment, log: errors, output: output)
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        return Result(
            status: process.terminationStatus,
            output: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "",
            errors: (try? String(contentsOfFile: errors, encoding: .utf8)) ?? "")
    }

    fileprivate func process(
        _ arguments: [String], environment: [String: String], log: String, output: String? = nil
    ) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"]) {
            given, _ in given
        }
        process.standardInput = FileHandle.nullDevice
        process.standardError = Self.appending(to: log)
        process.standardOutput = output.map(Self.appending) ?? process.standardError
        return process
    }

    private static func appending(to path: String) -> FileHandle {
        FileHandle(fileDescriptor: open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600), closeOnDealloc: true)
    }
}
