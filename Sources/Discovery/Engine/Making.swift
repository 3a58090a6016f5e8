public import Model
public import World

/// How a container that a person made with `docker run` is made again: the words of `docker create`, but for its name and
/// its environment.
///
/// There is none where a word would be lost or shown that should not be: a setting that is not known here, a secret in
/// one of the words, a container that is removed when it stops. Nor is there one for a container that Compose, a Swarm or
/// another program keeps: that one makes it.
///
/// Source: Docker Engine API, "Inspect a container" and "Inspect an image"; docker-container-create(1).
public struct Making: Sendable, Equatable {
  struct Option: Sendable, Equatable {
    /// `--publish`
    let name: String
    /// `127.0.0.1:3000:80`; nil for one that takes none.
    let value: String?

    init(_ name: String, _ value: String? = nil) { (self.name, self.value) = (name, value) }
  }

  private let name: String
  private let id: String
  private var options: [Option]
  private let image: String
  /// What follows the image.
  private var arguments: [String]
  /// Networks besides the first, which it joins before it starts.
  private let joins: [String]

  private var words: [String] { options.flatMap { [$0.name] + [$0.value].compactMap { $0 } } }
}

// MARK: Another form of it

extension Making {
  /// With one more option; of a variable or a label the last one counts.
  public func adding(_ option: String, _ value: String? = nil) -> Making {
    var other = self
    other.options.append(Option(option, value))
    return other
  }

  /// With that label; without it for nil.
  public func labelled(_ label: String, _ value: String?) -> Making {
    let other = without("--label") { $0 == label || $0.hasPrefix(label + "=") }
    return value.map { other.adding("--label", "\(label)=\($0)") } ?? other
  }

  /// With another argument in the place of one; nil if it has no such.
  public func replacing(_ argument: String, with new: String) -> Making? {
    guard arguments.contains(argument) else { return nil }
    var other = self
    other.arguments = arguments.map { $0 == argument ? new : $0 }
    return other
  }

  /// With one more argument; nil if it has that one, or none that begins with `before`.
  public func appending(_ argument: String, afterOneWith before: String) -> Making? {
    guard arguments.contains(where: { $0.hasPrefix(before) }), !arguments.contains(argument) else { return nil }
    var other = self
    other.arguments.append(argument)
    return other
  }

  /// Without what `--add-host` writes into its file of names about a name.
  public func withoutHost(_ name: String) -> Making { without("--add-host") { $0.hasPrefix(name + ":") } }

  /// With what it publishes of one port inside leading to another one.
  public func publishing(_ inside: UInt16, instead other: UInt16) -> Making {
    var changed = self
    changed.options = options.map { option in
      guard option.name == "--publish", let value = option.value, value == "\(inside)" || value.hasSuffix(":\(inside)")
      else { return option }
      return Option(option.name, value.dropLast("\(inside)".count) + "\(other)")
    }
    return changed
  }

  /// Without a health check.
  public var unchecked: Making {
    var other = self
    other.options.removeAll { $0.name.hasPrefix("--health-") }
    return other.adding("--no-healthcheck")
  }

  private func without(_ option: String, where isMeant: (String) -> Bool) -> Making {
    var other = self
    other.options.removeAll { $0.name == option && $0.value.map(isMeant) == true }
    return other
  }

  /// What commands need to make the container again: `CHANGE.create-words`; `ROLE.join-words`, where it has other
  /// networks besides; `ROLE.made-name`, its name, and `ROLE.old-name`, which no other one has, for the one that is there.
  public func facts(_ change: String, of role: String) -> Facts {
    [
      FactName("\(change).create-words"): (words + [image] + arguments).quoted,
      FactName("\(role).join-words"): joins.quoted, FactName("\(role).made-name"): name,
      FactName("\(role).old-name"): "\(name)-old-\(id.prefix(6))",
    ]
  }
}

extension FactName {
  /// What `Making.facts` brings.
  public static func making(_ changes: String..., of role: String) -> [FactName] {
    changes.map { FactName("\($0).create-words") }
      + ["join-words", "made-name", "old-name"].map { FactName("\(role).\($0)") }
  }
}

extension World {
  /// How a container is made again; nil where that cannot be told, is somebody else's to do, or would leave containers
  /// behind that live in its network.
  ///
  /// - Parameter owner: The container in whose network it shall be, if its own one is there no more.
  public func making(of id: String, inNetworkOf owner: String? = nil) async -> Making? {
    guard let sight = try? await see(DockerGet(path: "/containers/\(id)/json")), sight.status == 200,
      sight.engine == "Docker", let container = JSON(sight.body), let image = container["Image"]?.text,
      let seen = try? await see(DockerGet(path: "/images/\(image)/json")), seen.status == 200,
      let origin = JSON(seen.body), let all = try? await containers(), !all.contains(where: { $0.networkOwner == id })
    else { return nil }
    guard let holder = container["HostConfig"]?["NetworkMode"]?.text?.containerOfMode else {
      return Making(container, of: origin)
    }
    // By its name: an owner that is made anew has another id.
    return (owner ?? all.first { $0.Id == holder }?.name).flatMap { Making(container, of: origin, owner: $0) }
  }
}

// MARK: From what the engine says

extension Making {
  /// Nil for a container of which not every setting can be written as a word.
  ///
  /// - Parameters:
  ///   - image: That from which it was made.
  ///   - owner: The name of the container in whose network it is.
  init?(_ container: JSON, of image: JSON, owner: String? = nil) {
    guard let host = container["HostConfig"], let own = container["Config"],
      host["AutoRemove"]?.bool != true, !own.isKept, let environment = own.environment,
      environment.allSatisfy({ !$0.contains(where: \.isNewline) && !$0.hasPrefix("#") && $0.contains("=") })
    else { return nil }
    let origin = image["Config"] ?? .null
    var options: [Option] = []
    func add(_ name: String, _ values: [String]) { options += values.map { Option(name, $0) } }
    let isGuest = owner != nil
    guard let (network, joins) = container.networks(owner), let limits = host.limits, let mounts = container.mounts,
      let command = own.command(of: origin), let health = own.health(of: origin)
    else { return nil }
    add("--network", [network.mode])
    add("--network-alias", network.aliases)
    add("--ip", network.addresses)
    add("--publish", host.published)
    let id = container["Id"]?.text ?? ""
    if let name = own["Hostname"]?.text, !name.isEmpty, !id.hasPrefix(name), !isGuest, network.mode != "host" {
      add("--hostname", [name])
    }
    options += limits
    add("--volume", mounts)
    add("--user", own.changed("User", from: origin))
    add("--workdir", own.changed("WorkingDir", from: origin))
    add("--stop-signal", own.changed("StopSignal", from: origin))
    add("--domainname", own.changed("Domainname", from: origin))
    if own["Tty"]?.bool == true { options.append(Making.Option("--tty")) }
    if own["OpenStdin"]?.bool == true { options.append(Making.Option("--interactive")) }
    if let seconds = own["StopTimeout"]?.written { add("--stop-timeout", [String(decoding: seconds, as: UTF8.self)]) }
    options += health
    if !isGuest, network.mode != "host" {
      let known = Set((origin["ExposedPorts"]?.members ?? [:]).keys).union((host["PortBindings"]?.members ?? [:]).keys)
      add("--expose", (own["ExposedPorts"]?.members ?? [:]).keys.filter { !known.contains($0) }.sorted())
    }
    let labels = (own["Labels"]?.members ?? [:]).filter { origin["Labels"]?[$0.key] != $0.value }
    add("--label", labels.sorted { $0.key < $1.key }.compactMap { name, value in value.text.map { "\(name)=\($0)" } })
    if let entry = command.entry { add("--entrypoint", [entry]) }
    // Its tag may be another image's by now, which would be an update.
    let tag = own["Image"]?.text ?? ""
    let isTagged = image["RepoTags"]?.texts.contains { $0 == tag || $0 == "\(tag):latest" } == true
    (self.options, self.image) = (options, isTagged ? tag : container["Image"]?.text ?? tag)
    (arguments, self.joins) = (command.arguments, joins)
    (self.id, name) = (id, (container["Name"]?.text ?? "").filter { $0 != "/" })
    let all = words + [self.image] + arguments
    guard !id.isEmpty, !name.isEmpty, all.allSatisfy({ !$0.isEmpty && $0.printable == $0 && $0.redacted == $0 }),
      all.joined(separator: " ").redacted == all.joined(separator: " ")
    else { return nil }
  }
}

extension JSON {
  /// Nothing in particular is asked for.
  fileprivate var isPlain: Bool {
    switch self {
    case .null, .bool(false), .whole(0), .number(0), .string(""): true
    case .array(let elements): elements.allSatisfy(\.isPlain)
    case .object(let members): members.isEmpty
    default: false
    }
  }

  /// Of a container's configuration: made by a program that makes it again itself.
  fileprivate var isKept: Bool {
    self["Labels"]?.members.keys.contains {
      $0.hasPrefix("com.docker.compose.") || $0.hasPrefix("com.docker.swarm.") || $0.hasPrefix("com.docker.stack.")
        || $0.hasPrefix("io.kubernetes.") || $0.hasPrefix("coolify.") || $0.hasPrefix("net.unraid.docker.")
    } == true
  }

  fileprivate var environment: [String]? {
    guard let all = self["Env"]?.elements else { return [] }
    return all.count == all.compactMap(\.text).count ? all.compactMap(\.text) : nil
  }

  /// A text that is another than the image's.
  fileprivate func changed(_ name: String, from image: JSON) -> [String] {
    guard let text = self[name]?.text, !text.isEmpty, text != image[name]?.text else { return [] }
    return [text]
  }

  /// Entry point and arguments where they are others than the image's; nil if the image's has to be taken away.
  fileprivate func command(of image: JSON) -> (entry: String?, arguments: [String])? {
    let (entry, arguments) = (self["Entrypoint"]?.texts ?? [], self["Cmd"]?.texts ?? [])
    let theirs = image["Entrypoint"]?.texts ?? []
    if entry == theirs { return (nil, arguments == image["Cmd"]?.texts ?? [] ? [] : arguments) }
    return entry.first.map { ($0, entry.dropFirst() + arguments) }
  }

  /// The options of a health check of its own; nil if it cannot be written as options.
  fileprivate func health(of image: JSON) -> [Making.Option]? {
    guard let check = self["Healthcheck"], check != image["Healthcheck"] else { return [] }
    let test = check["Test"]?.texts ?? []
    if test == ["NONE"] { return [Making.Option("--no-healthcheck")] }
    var options: [Making.Option] = []
    if !test.isEmpty {
      guard test.count == 2, test[0] == "CMD-SHELL" else { return nil }
      options.append(Making.Option("--health-cmd", test[1]))
    }
    for (name, option) in [
      ("Interval", "interval"), ("Timeout", "timeout"), ("StartPeriod", "start-period"),
      ("StartInterval", "start-interval"),
    ] {
      guard let time = check[name]?.number, time > 0 else { continue }
      options.append(Making.Option("--health-\(option)", "\(time.inDigits)ns"))
    }
    if let retries = check["Retries"]?.number, retries > 0 {
      options.append(Making.Option("--health-retries", retries.inDigits))
    }
    return options
  }

  /// Of a container: its first network, and those that it joins besides; nil for one in which it has a place that a
  /// later joining does not give it.
  fileprivate func networks(_ owner: String?) -> (
    network: (mode: String, aliases: [String], addresses: [String]), joins: [String]
  )? {
    guard let mode = self["HostConfig"]?["NetworkMode"]?.text else { return nil }
    if let owner { return (("container:" + owner, [], []), []) }
    let all = self["NetworkSettings"]?["Networks"]?.members ?? [:]
    let id = self["Id"]?.text ?? ""
    func aliases(_ end: JSON?) -> [String] { (end?["Aliases"]?.texts ?? []).filter { !id.hasPrefix($0) } }
    func addresses(_ end: JSON?) -> [String] {
      ["IPv4Address", "IPv6Address"].compactMap { end?["IPAMConfig"]?[$0]?.text }.filter { !$0.isEmpty }
    }
    let first = mode == "default" ? "bridge" : mode
    guard all.values.allSatisfy({ ($0["Links"] ?? .null).isPlain && ($0["DriverOpts"] ?? .null).isPlain }),
      all.filter({ $0.key != first }).values.allSatisfy({ aliases($0).isEmpty && addresses($0).isEmpty }),
      addresses(all[first]).count < 2
    else { return nil }
    return ((first, aliases(all[first]), addresses(all[first])), all.keys.filter { $0 != first }.sorted())
  }

  /// Of a container: its volumes and folders; nil for a kind that `--volume` does not make.
  fileprivate var mounts: [String]? {
    var volumes: [String] = []
    for mount in self["Mounts"]?.elements ?? [] {
      guard ["bind", "volume"].contains(mount["Type"]?.text), let inside = mount["Destination"]?.text,
        let outside = (mount["Type"]?.text == "volume" ? mount["Name"] : mount["Source"])?.text
      else { return nil }
      var mode = (mount["Mode"]?.text ?? "").split(separator: ",").map(String.init).filter { $0 != "rw" && $0 != "z" }
      if mount["RW"]?.bool == false, !mode.contains("ro") { mode.append("ro") }
      if let way = mount["Propagation"]?.text, !["", "rprivate"].contains(way), !mode.contains(way) {
        mode.append(way)
      }
      volumes.append(([outside, inside] + (mode.isEmpty ? [] : [mode.joined(separator: ",")])).joined(separator: ":"))
    }
    return volumes
  }

  /// Of a container's host configuration: its published ports.
  fileprivate var published: [String] {
    (self["PortBindings"]?.members ?? [:]).sorted { $0.key < $1.key }.flatMap { inside, bindings in
      bindings.elements.map { binding in
        let address = binding["HostIp"]?.text ?? ""
        let port = binding["HostPort"]?.text ?? ""
        let head = address.isEmpty ? "" : (address.isIPv6 ? "[\(address)]" : address) + ":"
        return head + (port.isEmpty && head.isEmpty ? "" : port + ":")
          + (inside.hasSuffix("/tcp") ? String(inside.dropLast(4)) : inside)
      }
    }
  }

  /// Of a container's host configuration: every other setting that is not the engine's own; nil if one is not known here.
  fileprivate var limits: [Making.Option]? {
    var options: [Making.Option] = []
    let isPrivileged = self["Privileged"]?.bool == true
    if !isPrivileged, ["MaskedPaths", "ReadonlyPaths"].contains(where: { self[$0]?.elements.isEmpty != false }) {
      return nil
    }
    for (name, value) in members.sorted(by: { $0.key < $1.key }) where !value.isPlain && !Self.elsewhere.contains(name)
    {
      let text = value.text ?? value.number.map(\.inDigits)
      if Self.usual[name]?.contains(text ?? "") == true { continue }
      if let option = Self.listed[name], value.texts.count == value.elements.count {
        // A profile that stands there in full is a file's for the option.
        if value.texts.contains(where: { $0.hasPrefix("seccomp={") }) { return nil }
        options += value.texts.map { Making.Option(option, $0) }
      } else if let option = Self.switched[name], value.bool == true {
        options.append(Making.Option(option))
      } else if let option = Self.valued[name], let text {
        options.append(Making.Option(option, text))
      } else if name == "NanoCpus", let number = value.number {
        options.append(Making.Option("--cpus", (number / 1_000_000_000).inDecimals))
      } else if name == "Sysctls" {
        options += value.members.sorted { $0.key < $1.key }.map {
          Making.Option("--sysctl", "\($0.key)=\($0.value.text ?? "")")
        }
      } else if name == "Tmpfs" {
        options += value.members.sorted { $0.key < $1.key }.map { path, how in
          Making.Option("--tmpfs", how.text.map { $0.isEmpty ? path : "\(path):\($0)" } ?? path)
        }
      } else if name == "Devices" {
        options += value.elements.map { device in
          let parts = ["PathOnHost", "PathInContainer", "CgroupPermissions"].compactMap { device[$0]?.text }
          return Making.Option("--device", parts.joined(separator: ":"))
        }
      } else if name == "Ulimits" {
        options += value.elements.map { limit in
          let (soft, hard) = (limit["Soft"]?.number ?? 0, limit["Hard"]?.number ?? 0)
          return Making.Option("--ulimit", "\(limit["Name"]?.text ?? "")=\(soft.inDigits):\(hard.inDigits)")
        }
      } else if name == "RestartPolicy" {
        let most = value["MaximumRetryCount"]?.number ?? 0
        guard let policy = value["Name"]?.text, !["", "no"].contains(policy) else { continue }
        options.append(Making.Option("--restart", most > 0 ? "\(policy):\(most.inDigits)" : policy))
      } else if name == "LogConfig" {
        let settings = value["Config"]?.members ?? [:]
        guard let driver = value["Type"]?.text, driver != "json-file" || !settings.isEmpty else { continue }
        options.append(Making.Option("--log-driver", driver))
        options += settings.sorted { $0.key < $1.key }.map {
          Making.Option("--log-opt", "\($0.key)=\($0.value.text ?? "")")
        }
      } else {
        return nil
      }
    }
    return options
  }

  /// Written otherwise, or the engine's own business.
  private static let elsewhere: Set<String> = [
    "Binds", "Mounts", "NetworkMode", "PortBindings", "AutoRemove", "ContainerIDFile", "MaskedPaths", "ReadonlyPaths",
    "ConsoleSize", "CgroupnsMode",
  ]
  /// What the engine takes by itself.
  private static let usual: [String: Set<String>] = [
    "ShmSize": ["67108864"], "IpcMode": ["private", "shareable"], "Runtime": ["runc"], "Isolation": ["default"],
    "MemorySwappiness": ["-1"], "PidsLimit": ["-1"],
  ]
  private static let listed = [
    "CapAdd": "--cap-add", "CapDrop": "--cap-drop", "Dns": "--dns", "DnsOptions": "--dns-option",
    "DnsSearch": "--dns-search", "ExtraHosts": "--add-host", "GroupAdd": "--group-add",
    "SecurityOpt": "--security-opt", "DeviceCgroupRules": "--device-cgroup-rule",
  ]
  private static let switched = [
    "Privileged": "--privileged", "PublishAllPorts": "--publish-all", "ReadonlyRootfs": "--read-only",
    "Init": "--init", "OomKillDisable": "--oom-kill-disable",
  ]
  private static let valued = [
    "Memory": "--memory", "MemoryReservation": "--memory-reservation", "MemorySwap": "--memory-swap",
    "CpuShares": "--cpu-shares", "CpusetCpus": "--cpuset-cpus", "CpusetMems": "--cpuset-mems",
    "CpuPeriod": "--cpu-period", "CpuQuota": "--cpu-quota", "PidsLimit": "--pids-limit", "PidMode": "--pid",
    "UTSMode": "--uts", "UsernsMode": "--userns", "OomScoreAdj": "--oom-score-adj", "CgroupParent": "--cgroup-parent",
    "ShmSize": "--shm-size", "IpcMode": "--ipc", "Runtime": "--runtime",
  ]
}

extension Double {
  /// A whole number without a point, as an option takes it.
  fileprivate var inDigits: String { Int(exactly: rounded()).map { String($0) } ?? "" }

  /// With at most three digits behind the point.
  fileprivate var inDecimals: String {
    let thousandths = Int(exactly: (self * 1000).rounded()) ?? 0
    return "\(thousandths / 1000).\(String(thousandths % 1000 + 1000).dropFirst())"
  }
}

extension [String] {
  /// Words that `Substring.words` reads as these.
  fileprivate var quoted: String {
    map { word in
      "\"" + word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }.joined(separator: " ")
  }
}
