# For Homebrew: a formula of a tap.
class Lanchat < Formula
  desc "@description@"
  homepage "@repository@"
  version "@version@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@repository@/releases/download/v#{version}/@name@-v#{version}-aarch64-apple-darwin.tar.gz"
      sha256 "@sha256:aarch64-apple-darwin@"
    end
    on_intel do
      url "@repository@/releases/download/v#{version}/@name@-v#{version}-x86_64-apple-darwin.tar.gz"
      sha256 "@sha256:x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "@repository@/releases/download/v#{version}/@name@-v#{version}-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@sha256:aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "@repository@/releases/download/v#{version}/@name@-v#{version}-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@sha256:x86_64-unknown-linux-musl@"
    end
  end

  def install
@brew-install@
  end

  service do
    run [opt_bin/"lanchat", "serve"]
    keep_alive true
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/lanchat --version")
  end
end
