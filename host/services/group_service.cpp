#include "services/group_service.hpp"

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "services/account_rules.hpp"
#include "services/audit_log.hpp"
#include "services/rights.hpp"
#include "store/user_store.hpp"

namespace dbackup::host {
namespace {

UserGroup found(Session& session, const std::string& id) {
  auto group = GroupStore{}.find(session, id);
  if (!group) throw Error(ErrorCode::NotFound, "group not found");
  return std::move(*group);
}

UserGroup found_to_change(Session& session, const Principal& who, const std::string& id) {
  UserGroup group = found(session, id);
  if (group.is_super_admin()) {
    throw Error(ErrorCode::FailedPrecondition, "the group SuperAdmin cannot be changed or deleted");
  }
  if (who.kind == PrincipalKind::Session) {
    const auto user = UserStore{}.find(session, who.user_id);
    if (user && user->group_id == id)
      throw Error(ErrorCode::PermissionDenied, "nobody may change their own group");
  }
  return group;
}

void refuse_taken_name(Session& session, const UserGroup& group) {
  const auto other = GroupStore{}.find_by_name(session, group.name);
  if (other && other->id != group.id) {
    throw Error(ErrorCode::AlreadyExists, "a group named \"" + group.name + "\" already exists");
  }
}

void refuse_reserved_name(const std::string& name) {
  if (name == kSuperAdmin)
    throw Error(ErrorCode::AlreadyExists, "the name SuperAdmin is kept for the built-in group");
}

}  // namespace

std::vector<UserGroup> GroupService::list() {
  std::vector<UserGroup> out;
  control_.context().database.read([&](Session& session) { out = GroupStore{}.list(session); });
  return out;
}

UserGroup GroupService::get(const std::string& id) {
  UserGroup out;
  control_.context().database.read([&](Session& session) { out = found(session, id); });
  return out;
}

UserGroup GroupService::create(const Principal& who, const std::string& name,
                               const std::vector<std::string>& permissions) {
  refuse_reserved_name(name);
  UserGroup group{.id = new_uuid(), .name = name};
  group.permissions = parse_permissions(permissions, "permissions");
  require_may_give(who, group.permissions, "a group");
  group.created_at = group.updated_at = control_.context().clock.now_ms();
  control_.context().database.write([&](Session& session) {
    refuse_taken_name(session, group);
    GroupStore{}.insert(session, group);
    audit_.write(session, who, AuditAction::Create, AuditResource::Group, group.id,
                 {{"name", name}, {"permissions", permissions}});
  });
  return group;
}

UserGroup GroupService::update(const Principal& who, const std::string& id,
                               const std::optional<std::string>& name,
                               const std::optional<std::vector<std::string>>& permissions) {
  if (name) refuse_reserved_name(*name);
  UserGroup group;
  control_.context().database.write([&](Session& session) {
    lock_users(session);
    group = found_to_change(session, who, id);
    Json details{{"name", group.name}};
    if (name) group.name = *name;
    if (permissions) {
      const PermissionSet next = parse_permissions(*permissions, "permissions");
      require_may_give(who, next & ~group.permissions, "a group");
      details["added"] = permission_names(next & ~group.permissions);
      details["removed"] = permission_names(group.permissions & ~next);
      group.permissions = next;
    }
    refuse_taken_name(session, group);
    group.updated_at = control_.context().clock.now_ms();
    GroupStore{}.update(session, group);
    audit_.write(session, who, AuditAction::Update, AuditResource::Group, id, details);
  });
  sessions_.forget_all();
  keys_.forget_all();
  return group;
}

void GroupService::remove(const Principal& who, const std::string& id) {
  control_.context().database.write([&](Session& session) {
    lock_users(session);
    const UserGroup group = found_to_change(session, who, id);
    GroupStore{}.remove(session, id);
    audit_.write(session, who, AuditAction::Delete, AuditResource::Group, id,
                 {{"name", group.name}, {"users", group.user_count}});
  });
  sessions_.forget_all();
  keys_.forget_all();
}

BulkOutcome GroupService::remove_all(const Principal& who, const std::vector<std::string>& ids) {
  const BulkOutcome outcome = run_bulk(
      ids, [&](const std::string& id) { remove(who, id); },
      [&](const std::string& id) { return get(id).name; });
  audit_.write(who, AuditAction::Delete, AuditResource::Group, "", bulk_audit("delete", outcome));
  return outcome;
}

}  // namespace dbackup::host
