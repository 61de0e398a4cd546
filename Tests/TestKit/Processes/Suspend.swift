import Foundation
import Glibc

/// Stops a process (SIGSTOP), and waits until none of its threads runs: until one of them has had the processor to take
/// the signal, the others go on, and on a busy machine that may take long enough to answer a request.
package func suspend(_ pid: Int32) {
    kill(pid, SIGSTOP)
    for _ in 0..<5_000 where !isStopped(pid) { usleep(1_000) }
}

/// Whether every thread is stopped; also if there is no such process.
private func isStopped(_ pid: Int32) -> Bool {
    let folder = "/proc/\(pid)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return threads.allSatisfy { thread in
        guard let stat = try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8) else { return true }
        // "number (name) state …"; a name may contain parentheses.
        guard let end = stat.lastIndex(of: ")") else { return true }
        return stat[end...].dropFirst(2).first == "T"
    }
}
