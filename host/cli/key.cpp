#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <sstream>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/json.hpp"
#include "cli/command.hpp"
#include "cli/instance.hpp"
#include "crypto/token.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

struct KeyArguments {
  InstanceOptions instance;
  std::string name, permissions, expires, id;
  bool json = false;
};

PermissionSet parse_permissions(const std::string& text) {
  PermissionSet set;
  if (text == "*") return set.set();
  std::string name;
  std::istringstream in{text};
  while (std::getline(in, name, ',')) {
    const auto permission = parse_permission(name);
    if (!permission) {
      throw Error(ErrorCode::InvalidArgument,
                  "unknown permission \"" + name +
                      "\"; GET /api/permissions and the README list them, * means all");
    }
    set.set(static_cast<size_t>(*permission));
  }
  if (set.none())
    throw Error(ErrorCode::InvalidArgument, "--permissions must name at least one permission");
  return set;
}

int create(const KeyArguments& arguments) {
  if (arguments.name.empty() || arguments.name.size() > 100) {
    throw Error(ErrorCode::InvalidArgument, "--name must have 1 to 100 characters");
  }
  ApiKey key{.id = new_uuid(), .name = arguments.name};
  key.permissions = parse_permissions(arguments.permissions);
  key.created_at = SystemClock{}.now_ms();
  if (!arguments.expires.empty()) key.expires_at = parse_iso8601(arguments.expires, "--expires");
  const Instance instance = Instance::open(arguments.instance);
  const NewApiKey made = generate_api_key();
  key.hash = made.hash;
  key.prefix = made.prefix;
  instance.database->write([&](Session& s) { ApiKeyStore{}.insert(s, key); });
  const std::string raw{made.raw.reveal()};
  if (arguments.json) {
    const Json out{{"id", key.id},
                   {"name", key.name},
                   {"key", raw},
                   {"permissions", permission_names(key.permissions)}};
    std::printf("%s\n", dump_json(out).c_str());
  } else {
    std::printf("%s\n", raw.c_str());
    std::fprintf(stderr, "Keep it: it is shown this once only.\n");
  }
  return kExitOk;
}

int list(const KeyArguments& arguments) {
  const Instance instance = Instance::open(arguments.instance);
  std::vector<ApiKey> keys;
  instance.database->read([&](Session& s) { keys = ApiKeyStore{}.list(s); });
  Json out = Json::array();
  for (const ApiKey& key : keys) {
    if (arguments.json) {
      out.push_back(
          {{"id", key.id},
           {"name", key.name},
           {"prefix", key.prefix},
           {"enabled", key.enabled},
           {"permissions", permission_names(key.permissions)},
           {"createdAt", format_iso8601(key.created_at)},
           {"expiresAt", key.expires_at ? Json(format_iso8601(*key.expires_at)) : Json{}},
           {"lastUsedAt", key.last_used_at ? Json(format_iso8601(*key.last_used_at)) : Json{}}});
    } else {
      std::printf("%s  %s…  %-8s  %s\n", key.id.c_str(), key.prefix.c_str(),
                  key.enabled ? "enabled" : "disabled", key.name.c_str());
    }
  }
  if (arguments.json) std::printf("%s\n", dump_json(out).c_str());
  return kExitOk;
}

int revoke(const KeyArguments& arguments) {
  const Instance instance = Instance::open(arguments.instance);
  bool removed = false;
  instance.database->write([&](Session& s) { removed = ApiKeyStore{}.remove(s, arguments.id); });
  if (!removed)
    throw Error(ErrorCode::NotFound,
                "no API key has the id \"" + arguments.id + "\"; dbackup key list shows them");
  std::fprintf(stderr, "Revoked; a running server may accept it for a few seconds more.\n");
  return kExitOk;
}

}  // namespace

void add_key_command(CLI::App& program, CommandBody& chosen) {
  auto arguments = std::make_shared<KeyArguments>();
  CLI::App* key = program.add_subcommand("key", "create, list and revoke API keys");
  key->require_subcommand(1);

  CLI::App* make = key->add_subcommand("create", "make a key and print it once");
  add_instance_options(*make, arguments->instance);
  make->add_option("--name", arguments->name, "what it is for")->required();
  make->add_option("--permissions", arguments->permissions,
                   "comma-separated permissions, or * for all")
      ->required();
  make->add_option("--expires", arguments->expires,
                   "date after which it is refused, like 2026-12-31T00:00:00Z");
  make->add_flag("--json", arguments->json, "print a JSON object");
  make->callback([=, &chosen] { chosen = [=] { return create(*arguments); }; });

  CLI::App* show = key->add_subcommand("list", "show every key, never its secret");
  add_instance_options(*show, arguments->instance);
  show->add_flag("--json", arguments->json, "print a JSON array");
  show->callback([=, &chosen] { chosen = [=] { return list(*arguments); }; });

  CLI::App* drop = key->add_subcommand("revoke", "delete a key");
  add_instance_options(*drop, arguments->instance);
  drop->add_option("id", arguments->id, "id of the key")->required();
  drop->callback([=, &chosen] { chosen = [=] { return revoke(*arguments); }; });
}

}  // namespace dbackup::host
