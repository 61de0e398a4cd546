import NIOCore
import Synchronization

/// Runs tasks on an event loop.
///
/// The results of many statements arrive together, and each resumes a task: one lock and one closure of the event loop
/// for each would cost more than what most of them do. They are kept in a queue of its own, and the event loop is asked
/// once to run what is in it.
final class LoopExecutor: TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        /// Those that run now, or ran last: its memory is used again.
        var running: [UnownedJob] = []
        /// The event loop has been asked to run them.
        var isScheduled = false
    }

    private let eventLoop: any EventLoop
    private let queue = Mutex(Queue())

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustSchedule = queue.withLock { queue in
            queue.jobs.append(job)
            defer { queue.isScheduled = true }
            return !queue.isScheduled
        }
        if mustSchedule { eventLoop.execute { self.run() } }
    }

    /// Runs the jobs that are there. Those that come meanwhile are a task of their own for the event loop.
    private func run() {
        let jobs = queue.withLock { queue in
            queue.isScheduled = false
            queue.running.removeAll(keepingCapacity: true)
            swap(&queue.jobs, &queue.running)
            return queue.running
        }
        for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
