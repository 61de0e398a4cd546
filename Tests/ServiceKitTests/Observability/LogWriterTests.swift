import Foundation
import Glibc
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

@Suite("log writer")
struct LogWriterTests {
    /// A pipe that is read when the test says so.
    private final class Pipe: Sendable {
        let reading: Int32
        let writing: Int32

        init() throws {
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            (reading, writing) = (ends[0], ends[1])
            _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        }

        /// Whether a write of one byte would have to wait.
        var isFull: Bool {
            var question = pollfd(fd: writing, events: Int16(POLLOUT), revents: 0)
            return poll(&question, 1, 0) == 0
        }

        /// Reads what it contains now.
        func read() -> [UInt8] {
            var all: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = Glibc.read(reading, &piece, piece.count)
                guard count > 0 else { return all }
                all += piece.prefix(count)
            }
        }
    }

    private func line(_ number: Int) -> [UInt8] {
        Array("\(number) \(String(repeating: "x", count: 1000))\n".utf8)
    }

    @Test("without a reader no caller waits; what does not fit is dropped, counted, and reported when there is room")
    func unread() async throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writing, capacity: 100_000)
        writer.announce { Array("dropped \($0)\n".utf8) }
        // The pipe holds 64 KiB and the buffer 100 kB: most of these do not fit. The test is that the loop ends.
        for number in 0..<1000 { writer.write(line(number)) }
        #expect(writer.dropped > 500)
        try await eventually("the pipe is full") { pipe.isFull }
        // The end of a process does not wait for ever either.
        writer.flush(within: .milliseconds(20))
        #expect(pipe.isFull)

        let collected = Mutex<[UInt8]>([])
        try await eventually("all is written") {
            collected.withLock { $0 += pipe.read() }
            return collected.withLock { String(decoding: $0, as: UTF8.self) }.contains("dropped")
        }
        writer.write(line(1000))
        writer.flush(within: .seconds(10))
        collected.withLock { $0 += pipe.read() }
        let lines = String(decoding: collected.withLock { $0 }, as: UTF8.self).split(separator: "\n")
        let notices = lines.filter { $0.hasPrefix("dropped ") }.compactMap { Int($0.dropFirst(8)) }
        let numbers = lines.filter { !$0.hasPrefix("dropped ") }.compactMap { Int($0.prefix { $0 != " " }) }
        // Each line is complete and in its place, or counted.
        #expect(notices.reduce(0, +) == writer.dropped)
        #expect(numbers.count + writer.dropped == 1001)
        #expect(numbers == numbers.sorted())
        #expect(numbers.last == 1000)
        #expect(lines.allSatisfy { $0.hasPrefix("dropped ") || $0.utf8.count > 1000 })
    }

    @Test("a non-blocking descriptor gets every line too")
    func nonBlocking() async throws {
        let pipe = try Pipe()
        _ = fcntl(pipe.writing, F_SETFL, O_NONBLOCK)
        let writer = LogWriter(descriptor: pipe.writing, capacity: 1 << 20)
        for number in 0..<200 { writer.write(line(number)) }
        let collected = Mutex<[UInt8]>([])
        try await eventually("all is written") {
            collected.withLock { bytes in
                bytes += pipe.read()
                return bytes.count { $0 == UInt8(ascii: "\n") } == 200
            }
        }
        #expect(writer.dropped == 0)
    }

    @Test("a descriptor whose reader is gone loses lines, counts them, and blocks no one")
    func gone() async throws {
        let pipe = try Pipe()
        signal(SIGPIPE, SIG_IGN)
        close(pipe.reading)
        let writer = LogWriter(descriptor: pipe.writing)
        for number in 0..<10 { writer.write(line(number)) }
        try await eventually("all are counted") { writer.dropped == 10 }
        writer.flush(within: .seconds(10))
    }

    @Test("many write at once: every line is complete")
    func together() async throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writing, capacity: 4 << 20)
        await withDiscardingTaskGroup { group in
            for worker in 0..<8 {
                group.addTask { for number in 0..<100 { writer.write(line(worker * 100 + number)) } }
            }
        }
        let collected = Mutex<[UInt8]>([])
        try await eventually("all is written") {
            collected.withLock { bytes in
                bytes += pipe.read()
                return bytes.count { $0 == UInt8(ascii: "\n") } == 800
            }
        }
        let lines = String(decoding: collected.withLock { $0 }, as: UTF8.self).split(separator: "\n")
        #expect(Set(lines.compactMap { Int($0.prefix { $0 != " " }) }) == Set(0..<800))
        #expect(lines.allSatisfy { $0.hasSuffix(" \(String(repeating: "x", count: 1000))") })
    }
}
