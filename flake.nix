{
  description = "Chat for a local network: no account, no Internet, no configuration";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      manifest = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      each = make: builtins.listToAttrs (map (system: { name = system; value = make nixpkgs.legacyPackages.${system}; }) systems);

      # The same list as for the other packages, without the program, which the build installs, and what is Debian's.
      others = [
        "target/release/lanchat"
        "dist/copyright"
        "dist/lanchat.ufw"
        "packaging/debian/lintian-overrides"
      ];
      listed = builtins.filter (asset: !(builtins.elem (builtins.elemAt asset 0) others)) manifest.metadata.deb.assets;
      place =
        to:
        builtins.replaceStrings [ "usr/share/zsh/vendor-completions/" "etc/" "usr/" ] [ "share/zsh/site-functions/" "etc/" "" ] to;
      install =
        asset:
        let
          source = builtins.elemAt asset 0;
          to = "$out/" + place (builtins.elemAt asset 1);
          mode = builtins.elemAt asset 2;
          isFolder = builtins.match ".*/" to != null;
        in
        if isFolder then "install -Dm${mode} -t ${to} ${source}" else "install -Dm${mode} ${source} ${to}";

      lanchat =
        pkgs:
        pkgs.rustPlatform.buildRustPackage {
          pname = manifest.name;
          version = manifest.version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          # They need network namespaces and a real /proc; .ci/run runs them.
          doCheck = false;
          postInstall = builtins.concatStringsSep "\n" (map install listed);
          meta = {
            description = manifest.description;
            license = with pkgs.lib.licenses; [ mit asl20 ];
            mainProgram = "lanchat";
          };
        };
    in
    {
      packages = each (pkgs: { default = lanchat pkgs; });
      devShells = each (pkgs: { default = pkgs.mkShell { inputsFrom = [ (lanchat pkgs) ]; packages = [ pkgs.just ]; }; });
    };
}
