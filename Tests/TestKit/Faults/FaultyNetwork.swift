import Foundation
import Glibc
import Synchronization

/// A loopback port that forwards to another one, and loses or delays what a test wants.
package final class FaultyNetwork: Sendable {
    /// What happens to a connection.
    package enum Fate: Sendable {
        case pass
        /// Everything sent on it is lost: it is accepted, and never answered.
        case lost
        /// The first packet arrives late, as if it had been lost and sent again.
        case late(Duration)
    }

    private struct State {
        var count = 0
        var descriptors: Set<Int32> = []
        var isStopped = false
    }

    package let port: Int
    private let target: Int
    private let listener: Int32
    private let fate: @Sendable (Int) -> Fate
    private let state = Mutex(State())

    /// - Parameter fate: for each connection by its number, from 1.
    package init(to target: Int, fate: @escaping @Sendable (Int) -> Fate) throws {
        self.target = target
        self.fate = fate
        port = try FreePort.next()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Self.withAddress(of: port, { bind(listener, $0, $1) }) == 0, listen(listener, 128) == 0 else {
            throw POSIXError(.EADDRINUSE)
        }
        Thread.detachNewThread { [self] in accept() }
    }

    /// The number of connections so far.
    package var count: Int { state.withLock { $0.count } }

    /// Ends all connections, and accepts no more.
    package func stop() {
        let descriptors = state.withLock { state in
            state.isStopped = true
            return state.descriptors
        }
        for descriptor in [listener] + descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            let number = state.withLock { state in
                state.count += 1
                return state.count
            }
            Thread.detachNewThread { [self] in serve(client, fate(number)) }
        }
        close(listener)
    }

    private func serve(_ client: Int32, _ fate: Fate) {
        guard keep(client) else { return }
        defer { forget(client) }
        switch fate {
        case .lost: return discard(client)
        case .late(let delay): usleep(UInt32(delay / .microseconds(1)))
        case .pass: break
        }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard keep(server) else { return }
        defer { forget(server) }
        guard Self.withAddress(of: target, { connect(server, $0, $1) }) == 0 else { return }
        let back = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            Self.copy(server, client)
            back.signal()
        }
        Self.copy(client, server)
        back.wait()
    }

    private func discard(_ client: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while recv(client, &buffer, buffer.count, 0) > 0 {}
    }

    /// Copies until one side ends; then the other side is told.
    private static func copy(_ source: Int32, _ sink: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        copying: while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            var sent = 0
            while sent < count {
                let more = buffer[sent..<count].withUnsafeBytes {
                    send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard more > 0 else { break copying }
                sent += more
            }
        }
        shutdown(sink, Int32(SHUT_RDWR))
        shutdown(source, Int32(SHUT_RDWR))
    }

    private func keep(_ descriptor: Int32) -> Bool {
        let isKept = state.withLock { state in
            if !state.isStopped { state.descriptors.insert(descriptor) }
            return !state.isStopped
        }
        if !isKept { close(descriptor) }
        return isKept
    }

    private func forget(_ descriptor: Int32) {
        state.withLock { state in
            state.descriptors.remove(descriptor)
            _ = close(descriptor)
        }
    }

    private static func withAddress(of port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
