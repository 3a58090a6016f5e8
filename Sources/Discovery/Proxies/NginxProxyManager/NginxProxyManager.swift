import FoundationEssentials
import Routes

/// Nginx Proxy Manager's own data: rows of its database in, hosts out.
///
/// Source: nginx-proxy-manager 2.15.1: `backend/internal/nginx.js`, `backend/templates/*.conf`; the labels are
/// those of `frontend/src/locale/src/en.json` as `modals/ProxyHostModal.tsx`, `components/Form/LocationsFields.tsx`
/// and `pages/Nginx/ProxyHosts/Table.tsx` use them. Where a person finds what a row holds:
///
/// | column | in the web interface |
/// | --- | --- |
/// | a row | *Hosts*, *Proxy Hosts*; its menu has *Edit*, *Enable* or *Disable*, *Delete*; its status is *Online*, *Offline* or *Disabled* |
/// | `domain_names` | *Edit*, tab *Details*, *Domain Names* |
/// | `forward_scheme` | tab *Details*, *Scheme* |
/// | `forward_host` | tab *Details*, *Forward Hostname / IP* |
/// | `forward_port` | tab *Details*, *Forward Port* |
/// | `locations` | tab *Custom Locations*: *Location*, *Scheme*, *Forward Hostname / IP*, *Forward Port* |
/// | `certificate_id`, `ssl_forced` | tab *SSL* |
/// | `advanced_config` | the tab with the gear (*Advanced* in older versions), *Custom Nginx Configuration*; a location's: the gear beside it |
/// | `enabled` | not in the form: *Enable* and *Disable* of the row's menu |
public enum NginxProxyManager {
  /// One row of the table `proxy_host`.
  public struct Host: Sendable, Equatable {
    public let id: Int
    public let domainNames: [String]
    public let forward: Forward
    public let isEnabled: Bool
    public let isDeleted: Bool
    public let locations: [CustomLocation]
    public let advancedConfig: String
    /// Nil until nginx has been asked to load the host.
    public let isOnline: Bool?
    /// What nginx said when it refused the host.
    public let error: String?
    /// 0 for none.
    public let certificateID: Int
    /// 0 for none.
    public let accessListID: Int
    public let forcesTLS: Bool
    public let allowsWebSockets: Bool
  }

  /// Where requests go: as text, because that is what the form and the file hold.
  public struct Forward: Sendable, Equatable {
    public let scheme: String
    public let host: String
    public let port: UInt16?

    public init(scheme: String, host: String, port: UInt16?) {
      (self.scheme, self.host, self.port) = (scheme, host, port)
    }
  }

  /// One entry of the tab *Custom Locations*. Its host is written literally into the file.
  public struct CustomLocation: Sendable, Equatable {
    /// What stands behind `location`, with its modifier if there is one.
    public let path: String
    public let forward: Forward
    /// The path behind the host name, in the same field of the form.
    public let forwardPath: String
    public let advancedConfig: String
  }

  /// What a row and the file that is generated from it may disagree on.
  public enum Field: String, Sendable, CaseIterable { case scheme, host, port }

  public struct Disagreement: Sendable, Equatable {
    public let field: Field
    public let row: String
    public let file: String
  }

  /// The hosts of rows of `proxy_host`, each a column's name to its text. Rows without an id are left out.
  public static func hosts(_ rows: [[String: String]]) -> [Host] { rows.compactMap { Host($0) } }

  /// The host that serves `name`: one that names it exactly, else the one with the longest matching wildcard.
  /// Rows in use come before disabled ones, those before deleted ones.
  public static func host(for name: String, among hosts: [Host], matches: Nginx.Matcher) -> Host? {
    let ranks = [
      hosts.filter { $0.isEnabled && !$0.isDeleted }, hosts.filter { !$0.isEnabled && !$0.isDeleted },
      hosts.filter(\.isDeleted),
    ]
    for hosts in ranks {
      let names = hosts.flatMap { host in host.domainNames.map { (text: $0, host: host) } }
      if let found = Nginx.choose(among: names.map(\.text), for: name.lowercased(), matches: matches) {
        return names[found.index].host
      }
    }
    return nil
  }
}

extension NginxProxyManager.Host {
  /// The generated file, as the container sees it.
  public var file: String { "/data/nginx/proxy_host/\(id).conf" }
  /// What the file is renamed to when nginx refuses it: the host is offline then.
  public var errorFile: String { file + ".err" }
  public var accessLog: String { "/data/logs/proxy-host-\(id)_access.log" }
  public var errorLog: String { "/data/logs/proxy-host-\(id)_error.log" }

  /// The custom location that serves `path`; nil if the host's own forwarding does.
  public func location(for path: String, matches: @escaping Nginx.Matcher) -> NginxProxyManager
    .CustomLocation?
  {
    let lines = locations.map { "location \($0.path) { proxy_pass http://custom; }\n" } + ["location / {}"]
    let block = (try? Nginx.parse(lines.joined(), file: file).directives) ?? []
    let request = Nginx.Request(host: "", port: 80, path: path, isTLS: false)
    let chosen = Nginx.location(of: request.path, in: block, matches: matches)
    guard let line = chosen.chain.first?.line, locations.indices.contains(line - 1) else { return nil }
    return locations[line - 1]
  }

  /// On what this row and the upstream that its file names disagree. A file that is older than the row, or was
  /// edited by hand, is what runs.
  public func disagreements(with upstream: Nginx.Upstream, at location: NginxProxyManager.CustomLocation?)
    -> [NginxProxyManager.Disagreement]
  {
    let forward = location?.forward ?? forward
    let pairs: [(NginxProxyManager.Field, String, String)] = [
      (.scheme, forward.scheme, upstream.scheme), (.host, forward.host, upstream.host),
      (.port, forward.port.map(String.init) ?? "", upstream.port.map(String.init) ?? ""),
    ]
    return pairs.filter { $0.1.lowercased() != $0.2.lowercased() }.map {
      NginxProxyManager.Disagreement(field: $0.0, row: $0.1, file: $0.2)
    }
  }

  init?(_ row: [String: String]) {
    guard let id = row["id"].flatMap({ Int($0) }) else { return nil }
    func isOn(_ column: String) -> Bool? { row[column].flatMap { NginxProxyManager.Loose.text($0).bool } }
    func json(_ column: String) -> NginxProxyManager.Loose? {
      row[column].flatMap { try? JSONDecoder().decode(NginxProxyManager.Loose.self, from: Data($0.utf8)) }
    }
    let meta = json("meta")
    self.init(
      id: id, domainNames: json("domain_names")?.list.compactMap(\.text) ?? [],
      forward: NginxProxyManager.Forward(
        scheme: row["forward_scheme"] ?? "http", host: row["forward_host"] ?? "",
        port: row["forward_port"].flatMap { UInt16($0) }),
      isEnabled: isOn("enabled") ?? true, isDeleted: isOn("is_deleted") ?? false,
      locations: json("locations")?.list.compactMap { NginxProxyManager.CustomLocation($0) } ?? [],
      advancedConfig: row["advanced_config"] ?? "", isOnline: meta?["nginx_online"]?.bool,
      error: meta?["nginx_err"]?.text, certificateID: row["certificate_id"].flatMap { Int($0) } ?? 0,
      accessListID: row["access_list_id"].flatMap { Int($0) } ?? 0, forcesTLS: isOn("ssl_forced") ?? false,
      allowsWebSockets: isOn("allow_websocket_upgrade") ?? false)
  }
}

extension NginxProxyManager.CustomLocation {
  fileprivate init?(_ json: NginxProxyManager.Loose) {
    guard let path = json["path"]?.text else { return nil }
    // `app/sub` in the host's field means the path `/sub` at the host `app`.
    let parts = (json["forward_host"]?.text ?? "").split(
      separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    self.init(
      path: path,
      forward: NginxProxyManager.Forward(
        scheme: json["forward_scheme"]?.text ?? "http", host: String(parts.first ?? ""),
        port: json["forward_port"]?.text.flatMap { UInt16($0) }),
      forwardPath: parts.count > 1 ? "/" + parts[1] : "", advancedConfig: json["advanced_config"]?.text ?? "")
  }
}

extension NginxProxyManager {
  /// JSON whose types nobody promises: a number may come as text, a truth value as 0 or 1.
  fileprivate enum Loose: Decodable {
    case text(String)
    case list([Loose])
    case object([String: Loose])
    case null

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let text = try? value.decode(String.self) {
        self = .text(text)
      } else if let truth = try? value.decode(Bool.self) {
        self = .text(truth ? "1" : "0")
      } else if let number = try? value.decode(Int.self) {
        self = .text(String(number))
      } else if let list = try? value.decode([Loose].self) {
        self = .list(list)
      } else if let object = try? value.decode([String: Loose].self) {
        self = .object(object)
      } else {
        self = .null
      }
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var list: [Loose] { if case .list(let list) = self { list } else { [] } }
    subscript(key: String) -> Loose? { if case .object(let object) = self { object[key] } else { nil } }

    /// SQLite and MySQL hold 0 and 1, Postgres `f` and `t` or `false` and `true`.
    var bool: Bool? {
      switch text {
      case "1", "t", "true": true
      case "0", "f", "false": false
      default: nil
      }
    }
  }
}
