import Model
import World

extension Account {
  static let systemReaders = [
    OutputReader(
      claims: { $0.isOf("date") },
      read: { passage, account in account.now = passage.lines.first.flatMap { Double($0) } ?? account.now }),
    OutputReader(
      claims: { $0.isOf("id") },
      read: { passage, account in
        guard let line = passage.lines.first else { return }
        account.isRoot = line == "0" || line.hasPrefix("uid=0(")
      }),
    // `ip -o addr`, `ip addr`, `ifconfig`: an address stands behind `inet` or `inet6`. `ip -br addr`: all of a card's in its
    // line.
    OutputReader(
      claims: { $0.isOf("ip") || $0.isOf("ifconfig") },
      read: { passage, account in
        let found = passage.lines.flatMap { line -> [String] in
          let words = line.split(separator: " ").map(String.init)
          if passage.words.contains(where: { "-brief".hasPrefix($0) && $0.count > 2 }) {
            return words.dropFirst(2).filter { $0.contains("/") }.map { String($0.prefix { $0 != "/" }) }
          }
          guard let word = words.firstIndex(where: { $0 == "inet" || $0 == "inet6" }), word + 1 < words.count else {
            return []
          }
          let address = words[word + 1] == "addr:" && word + 2 < words.count ? words[word + 2] : words[word + 1]
          return [String((address.hasPrefix("addr:") ? String(address.dropFirst(5)) : address).prefix { $0 != "/" })]
        }
        guard !found.isEmpty, account.place(of: passage) == .host, passage.command?.isFiltered != true else { return }
        account.ownAddresses = found.filter { !$0.isIPv6 } + found.filter(\.isIPv6)
      }),
    // `ps aux`, `ps -ef`, `ps -o …`, with the columns of procps and of busybox.
    OutputReader(
      claims: { passage in
        let head = passage.lines.first?.split(separator: " ").map(String.init) ?? []
        return head.contains("PID") && ["COMMAND", "CMD"].contains(head.last) && !passage.isOfEngine("top")
      },
      read: { passage, account in
        let head = passage.lines[0].split(separator: " ").map(String.init)
        guard account.place(of: passage) == .host, let id = head.firstIndex(of: "PID") else {
          return account.addUnread(0, of: passage)
        }
        let (parent, user) = (head.firstIndex(of: "PPID"), head.firstIndex { ["USER", "UID"].contains($0) })
        for (index, line) in passage.lines.enumerated().dropFirst() {
          let words = line.split(separator: " ", maxSplits: head.count - 1).map(String.init)
          guard words.count == head.count, let id = Int32(words[id]), let command = words.last else {
            account.addUnread(index, of: passage)
            continue
          }
          var process = account.processes[id] ?? Process()
          process.parent = parent.flatMap { Int32(words[$0]) } ?? process.parent
          process.owner = user.map { words[$0] } ?? process.owner
          process.command = command.split(separator: " ").map(String.init)
          let program = process.command[0].split(separator: "/").last.map { $0.filter { $0 != ":" } }
          process.name = process.name.isEmpty ? program ?? "" : process.name
          account.processes[id] = process
        }
        account.processesOf = passage.processesOf.map { (account.processesOf ?? []).union($0) } ?? account.processesOf
      }),
    // `systemctl is-active UNIT…`: a word for each.
    OutputReader(
      claims: { $0.isOf("systemctl", "is-active") },
      read: { passage, account in
        let units = passage.words.dropFirst(2).filter { !$0.hasPrefix("-") }
        for (index, (unit, state)) in zip(units, passage.lines).enumerated() {
          guard let runs = runs(state.trimmed) else {
            account.addUnread(index, of: passage)
            continue
          }
          account.services[unit.unitName] = runs
        }
      }),
    // `systemctl status UNIT`: its state, its processes, and the end of its journal.
    OutputReader(
      claims: { passage in
        passage.isOf("systemctl", "status") || passage.lines.contains { $0.trimmed.hasPrefix("Active: ") }
          || passage.isOf("systemctl") && passage.lines.first?.hasPrefix("Unit ") == true
      },
      read: { passage, account in
        guard account.place(of: passage) == .host else { return account.addUnread(0, of: passage) }
        var unit: String?, isRunning = false
        for (index, line) in passage.lines.enumerated() {
          let text = line.trimmed
          if "●○×*".contains(line.first ?? " "), let name = text.split(separator: " ").dropFirst().first {
            (unit, isRunning) = (String(name).unitName, false)
          } else if let state = text.components(around: "Active: ")?.1, let unit {
            isRunning = runs(String(state.prefix { $0.isLetter })) ?? false
            account.services[unit] = isRunning
          } else if let main = text.components(around: "Main PID: ")?.1, isRunning {
            // `812 (nginx)`
            let parts = main.split { " ()".contains($0) }.map(String.init)
            if let id = parts.first.flatMap({ Int32($0) }), parts.count > 1 { account.addProcesses([[id: parts[1]]]) }
          } else if "├└".contains(text.first ?? " "), isRunning {
            // `├─812 nginx: master process /usr/sbin/nginx`
            let shown = text.drop { "├└─".contains($0) }.filter { $0 != "\"" }
            let words = shown.split(separator: " ").map(String.init)
            guard let id = words.first.flatMap({ Int32($0) }), words.count > 1 else { continue }
            let name = String(words[1].split(separator: "/").last ?? "").filter { $0 != ":" }
            account.addProcesses([[id: name]])
            if account.processes[id]?.command.isEmpty == true {
              account.processes[id]?.command = Array(words.dropFirst())
            }
          } else if text.hasPrefix("Unit "), text.hasSuffix("could not be found.") {
            account.services[String(text.split(separator: " ")[1]).unitName] = nil
          } else if let line = JournalLine(text) {
            account.keep(line)
          } else if !isOfStatus(text) {
            account.addUnread(index, of: passage)
          }
        }
      }),
  ]

  /// Nil for a word that systemd does not use. Source: systemctl(1), "is-active".
  private static func runs(_ state: String) -> Bool? {
    switch state {
    case "active", "reloading", "activating": true
    case "inactive", "failed", "deactivating", "unknown": false
    default: nil
    }
  }

  private static func isOfStatus(_ text: String) -> Bool {
    let fields = [
      "Loaded:", "Docs:", "Process:", "Tasks:", "Memory:", "CPU:", "CGroup:", "Drop-In:", "Status:", "TriggeredBy:",
      "Triggers:", "Condition:", "Duration:", "Invocation:", "IP:", "IO:", "FD Store:", "Main PID:", "Warning:", "/",
      "http",
    ]
    return text.isEmpty || fields.contains(where: text.hasPrefix)
  }
}

extension Passage {
  /// The names of which `ps -C` prints every process; nil where it may have left out some.
  fileprivate var processesOf: [String]? {
    guard let option = words.firstIndex(of: "-C"), option + 1 < words.count, command?.isFiltered == false else {
      return nil
    }
    return words[option + 1].split(separator: ",").map(String.init)
  }
}

extension String {
  /// `nginx` of `nginx.service`.
  fileprivate var unitName: String { hasSuffix(".service") ? String(dropLast(8)) : self }
}
