import Model
import Routes

/// Where a person changes what a proxy's files say.
extension ProxyFiles {
  /// A place that can be patched; nil in a file that only a container has, that a program writes, or that `patch` cannot
  /// change.
  func edit(_ span: Span?) -> Edit? {
    guard let span, !isGenerated, let path = patchPath(of: span.file) else { return nil }
    return Edit(onThisMachine: span.moved(to: path))
  }

  /// A line after which another one can be put; `indentation` nil: as deep as that line.
  func insertion(after span: Span?, next: String?, indentation: String? = nil) -> Insertion? {
    edit(span).map { Insertion(after: $0, indentation: indentation ?? $0.span.indentation, next: next) }
  }

  /// The container that alone has the file, by its name; nil if this machine has it.
  func container(with path: String) -> String? { hostPath(of: path) == nil ? container?.name : nil }

  /// The folder of a file, on this machine.
  func folder(of path: String) -> String? { hostPath(of: path.folder) }

  /// The one that was changed last; only a bounded number is looked at.
  func newest(of paths: some Sequence<String>) async -> Reading.Configuration.Newest? {
    var newest: Reading.Configuration.Newest?
    for path in paths.prefix(Limits.includes) {
      guard let time = await modified(path), time > newest?.changed ?? 0 else { continue }
      newest = Reading.Configuration.Newest(path: path, changed: time)
    }
    return newest
  }

  /// A mistake in a file, with the line as it has to be where that can be told and a patch fits.
  func mistake(
    _ reason: String, in file: String, line: Int, text: String?, fixed: String?
  ) -> Reading.Configuration.Mistake {
    Reading.Configuration.Mistake(
      reason: reason, file: hostPath(of: file) ?? file, line: line, text: text,
      fixed: patchPath(of: file) == nil ? nil : fixed)
  }

  /// A file of trusted certificates.
  func authorities(_ path: String) -> Route.TLS.Authorities {
    Route.TLS.Authorities(inside: path, outside: hostPath(of: path))
  }
}

extension String {
  /// Of a path.
  var folder: String { String(self[..<(lastIndex(of: "/") ?? startIndex)]) }
}
