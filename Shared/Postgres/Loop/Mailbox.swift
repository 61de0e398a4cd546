import CLibpq
import Glibc
import Synchronization

/// How callers reach the loop: a list under a lock, and a descriptor that wakes the loop if it is asleep.
final class Mailbox: Sendable {
    private struct State {
        var commands: [Command] = []
        var sleeps = false
        var closed = false
    }

    private let state = Mutex(State())
    let wakeDescriptor: Int32

    init() {
        wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    }

    deinit {
        close(wakeDescriptor)
    }

    /// Posts a command, or refuses it if the loop has ended.
    func post(_ command: Command) {
        let (accepted, wakes) = state.withLock { state in
            if state.closed { return (false, false) }
            state.commands.append(command)
            let sleeps = state.sleeps
            state.sleeps = false
            return (true, sleeps)
        }
        if !accepted {
            command.refuse()
        } else if wakes {
            eventfd_write(wakeDescriptor, 1)
        }
    }

    /// True if there are no commands: from then on the next command wakes the loop.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.sleeps = state.commands.isEmpty
            return state.sleeps
        }
    }

    /// Takes all commands. `commands` must be empty; its memory is reused for the next ones.
    func take(_ commands: inout [Command]) {
        state.withLock { state in
            state.sleeps = false
            swap(&state.commands, &commands)
        }
    }

    /// Refuses the remaining commands and all later ones.
    func closeDown() {
        let left = state.withLock { state in
            state.closed = true
            let left = state.commands
            state.commands = []
            return left
        }
        for command in left { command.refuse() }
    }
}
