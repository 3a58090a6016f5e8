internal import CCurl
internal import Glibc
public import Model
internal import Synchronization
public import World

/// libcurl, and the OpenSSL that it uses: they are loaded when somebody first wants them, for that takes longer than
/// all else at the program's start.
enum Library {
  /// Why they cannot be loaded, in the system's words; nil if they are there.
  static let obstacle = shim_load().map { String(cString: $0) }
}

/// Sends HTTP requests through libcurl: one connection for each, no redirects, proxies, cookies or retries.
///
/// One thread owns libcurl's multi handle; requests reach it through an inbox. libcurl is loaded into use by the
/// first request. Not for requests of which thousands run at once.
public final class HTTPClient: Sendable {
  /// Nil where the machine gave no thread or memory for it.
  private static let shared = HTTPClient()

  private enum Message {
    case start(Transfer)
    case cancel(Transfer)
  }

  private let inbox = Mutex<[Message]>([])
  private let multi: MultiHandle

  private init?() {
    guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, let handle = curl_multi_init() else { return nil }
    multi = MultiHandle(pointer: handle)
    var thread = pthread_t()
    let client = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { client in
        client.map { Unmanaged<HTTPClient>.fromOpaque($0).takeUnretainedValue().run() }
        return nil
      }, client.toOpaque())
    guard code == 0 else {
      client.release()
      return nil
    }
    pthread_detach(thread)
  }

  /// Loads what requests need, which the first of them would wait for otherwise.
  public static func prepare() throws(Unseen) {
    if let obstacle = Library.obstacle { throw .unreadable(what: "HTTP", why: .said(obstacle)) }
  }

  /// Sends `request` and returns what came of it, at the latest when its limit has passed.
  ///
  /// Throws `noAnswer` at once when the task is cancelled; the connection is closed then.
  public static func send(_ request: HTTPRequest, over dial: Dial) async throws(Unseen) -> HTTPRequest.Sight {
    let start = ContinuousClock.now
    guard let shared, let transfer = Transfer(request, dial), let sight = await shared.send(transfer) else {
      if Task.isCancelled { throw .noAnswer(seconds: (ContinuousClock.now - start) / .seconds(1)) }
      throw .unreadable(what: "HTTP", why: .init(.noResources))
    }
    return sight
  }

  /// Nil if it was cancelled, or if libcurl refused it.
  private func send(_ transfer: Transfer) async -> HTTPRequest.Sight? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        transfer.continuation.withLock { $0 = continuation }
        post(.start(transfer))
      }
    } onCancel: {
      post(.cancel(transfer))
    }
  }

  private func post(_ message: Message) {
    inbox.withLock { $0.append(message) }
    curl_multi_wakeup(multi.pointer)
  }

  /// The thread: messages in, libcurl on, answers out, then wait for a socket, a time limit or a message.
  private func run() {
    // Signals are for the other threads; a write to a closed connection (SIGPIPE) is for nobody.
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    var running: [UnsafeMutableRawPointer: Transfer] = [:]
    while true {
      let messages = inbox.withLock { messages in
        defer { messages = [] }
        return messages
      }
      for message in messages {
        switch message {
        case .start(let transfer):
          guard !transfer.isCancelled, transfer.prepare() else {
            transfer.finish(nil)
            continue
          }
          running[transfer.easy] = transfer
          curl_multi_add_handle(multi.pointer, transfer.easy)
        case .cancel(let transfer):
          transfer.isCancelled = true
          guard running.removeValue(forKey: transfer.easy) != nil else { continue }
          curl_multi_remove_handle(multi.pointer, transfer.easy)
          transfer.finish(nil)
        }
      }
      var count: Int32 = 0
      curl_multi_perform(multi.pointer, &count)
      while let message = curl_multi_info_read(multi.pointer, &count) {
        guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
          let transfer = running.removeValue(forKey: easy)
        else { continue }
        let code = message.pointee.data.result
        let sight = transfer.sight(code)
        curl_multi_remove_handle(multi.pointer, easy)
        transfer.finish(sight)
      }
      curl_multi_poll(multi.pointer, nil, 0, 60_000, nil)
    }
  }
}

/// Sendable because only the client's thread uses it, but for `curl_multi_wakeup`, which any thread may call.
private struct MultiHandle: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
}
