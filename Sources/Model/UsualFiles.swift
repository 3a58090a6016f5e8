/// Files with which a proxy begins that was told of none; it takes the first that is there.
public enum UsualFiles {
  /// - Parameter configHome: The proxy's `XDG_CONFIG_HOME`.
  ///
  /// Source: doc.traefik.io, "Configuration Introduction".
  public static func traefik(configHome: String? = nil) -> [String] {
    ["/etc/traefik", configHome.map { $0 + "/traefik" }, "/root/.config/traefik"].compactMap(\.self).flatMap { folder in
      ["toml", "yaml", "yml"].map { "\(folder)/traefik.\($0)" }
    }
  }

  /// Source: cloudflared's `config.DefaultConfigSearchDirectories`, with root's home and that of its image's user.
  public static let cloudflared =
    ["/root/.cloudflared", "/home/nonroot/.cloudflared", "/etc/cloudflared", "/usr/local/etc/cloudflared"]
    .flatMap { ["\($0)/config.yml", "\($0)/config.yaml"] }
}
