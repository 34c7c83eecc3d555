#include "services/template_service.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "services/audit_log.hpp"
#include "services/template_fields.hpp"
#include "store/adapter_store.hpp"
#include "store/template_store.hpp"

namespace dbackup::host {
namespace {

std::string noun(TemplateKind kind) { return std::string{row_of(kind).one}; }

Template found(Session& session, TemplateKind kind, const std::string& id) {
  auto row = TemplateStore{}.find(session, kind, id);
  if (!row) throw Error(ErrorCode::NotFound, noun(kind) + " not found");
  return std::move(*row);
}

TemplateView view(Session& session, Template row) {
  TemplateView out;
  for (const auto& channel : row.channels) {
    const auto adapter = AdapterStore{}.find(session, channel.config_id);
    if (adapter) out.channels[channel.config_id] = {adapter->name, adapter->adapter_id};
  }
  out.row = std::move(row);
  return out;
}

void refuse_taken_name(Session& session, const Template& row) {
  const auto other = TemplateStore{}.find_by_name(session, row.kind, row.name);
  if (other && other->id != row.id) {
    throw Error(ErrorCode::AlreadyExists,
                "a " + noun(row.kind) + " named \"" + row.name + "\" already exists");
  }
}

[[noreturn]] void refuse(const Template& row, const std::string& why) {
  throw Error(ErrorCode::FailedPrecondition,
              "the " + noun(row.kind) + " \"" + row.name + "\" " + why);
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "\"" : ", \"") + name + "\"";
  return out;
}

Json details(const Template& row) {
  return {{"kind", std::string{row_of(row.kind).id}}, {"name", row.name}};
}

}  // namespace

std::vector<TemplateView> TemplateService::list(TemplateKind kind) {
  std::vector<TemplateView> out;
  control_.context().database.read([&](Session& session) {
    for (Template& row : TemplateStore{}.list(session, kind))
      out.push_back(view(session, std::move(row)));
  });
  return out;
}

TemplateView TemplateService::get(TemplateKind kind, const std::string& id) {
  TemplateView out;
  control_.context().database.read(
      [&](Session& session) { out = view(session, found(session, kind, id)); });
  return out;
}

TemplateView TemplateService::create(const Principal& who, TemplateKind kind, const Json& fields) {
  require_template_fields(kind, fields);
  Template row{.id = new_uuid(), .kind = kind};
  row.created_at = row.updated_at = control_.context().clock.now_ms();
  apply_template_fields(row, fields);
  control_.context().database.write([&](Session& session) {
    refuse_taken_name(session, row);
    check_template_references(session, row);
    if (row.is_default && row_of(kind).single_default)
      TemplateStore{}.clear_default(session, kind, row.updated_at);
    TemplateStore{}.insert(session, row);
    audit_.write(session, who, AuditAction::Create, AuditResource::Template, row.id, details(row));
  });
  return get(kind, row.id);
}

TemplateView TemplateService::update(const Principal& who, TemplateKind kind, const std::string& id,
                                     const Json& fields) {
  control_.context().database.write([&](Session& session) {
    const Template before = found(session, kind, id);
    Template row = before;
    apply_template_fields(row, fields);
    row.updated_at = std::max(control_.context().clock.now_ms(), before.updated_at + 1);
    const bool only_default = row.name == before.name && row.description == before.description &&
                              row.content == before.content;
    if (before.is_system && row_of(kind).fixed_system && !only_default) {
      refuse(before, "is built in: only \"isDefault\" may change");
    }
    refuse_taken_name(session, row);
    check_template_references(session, row);
    if (row.is_default && !before.is_default && row_of(kind).single_default)
      TemplateStore{}.clear_default(session, kind, row.updated_at);
    TemplateStore{}.update(session, row);
    audit_.write(session, who, AuditAction::Update, AuditResource::Template, id, details(row));
  });
  if (kind == TemplateKind::SchedulePreset) control_.scheduler().refresh();
  return get(kind, id);
}

void TemplateService::remove_one(Session& session, TemplateKind kind, const std::string& id,
                                 std::string* name) {
  const Template row = found(session, kind, id);
  *name = row.name;
  if (row.is_system) refuse(row, "is built in and cannot be deleted");
  if (row.is_default && row_of(kind).keeps_default) {
    refuse(row, "is the default: make another one the default first");
  }
  if (const auto jobs = TemplateStore{}.jobs_using(session, id); !jobs.empty()) {
    refuse(row, "is used by the jobs " + joined(jobs));
  }
  TemplateStore{}.remove(session, kind, id);
}

void TemplateService::remove(const Principal& who, TemplateKind kind, const std::string& id) {
  control_.context().database.write([&](Session& session) {
    Template gone{.id = id, .kind = kind};
    remove_one(session, kind, id, &gone.name);
    audit_.write(session, who, AuditAction::Delete, AuditResource::Template, id, details(gone));
  });
  if (kind == TemplateKind::SchedulePreset) control_.scheduler().refresh();
}

BulkOutcome TemplateService::remove_several(const Principal& who, TemplateKind kind,
                                            const std::vector<std::string>& ids) {
  Database& database = control_.context().database;
  const BulkOutcome outcome = run_bulk(
      ids,
      [&](const std::string& id) {
        std::string name;
        database.write([&](Session& session) { remove_one(session, kind, id, &name); });
      },
      [&](const std::string& id) {
        std::string name;
        database.read([&](Session& session) { name = found(session, kind, id).name; });
        return name;
      });
  Json entry = bulk_audit("delete", outcome);
  entry["kind"] = std::string{row_of(kind).id};
  audit_.write(who, AuditAction::Delete, AuditResource::Template, "", entry);
  if (kind == TemplateKind::SchedulePreset) control_.scheduler().refresh();
  return outcome;
}

TemplateView TemplateService::set_default(const Principal& who, TemplateKind kind,
                                          const std::string& id) {
  return update(who, kind, id, {{"isDefault", true}});
}

void TemplateService::clear_default(const Principal& who, TemplateKind kind) {
  control_.context().database.write([&](Session& session) {
    const auto row = TemplateStore{}.find_default(session, kind);
    if (!row) return;  // it is as it was asked to be
    TemplateStore{}.clear_default(session, kind,
                                  std::max(control_.context().clock.now_ms(), row->updated_at + 1));
    Json entry = details(*row);
    entry["isDefault"] = false;
    audit_.write(session, who, AuditAction::Update, AuditResource::Template, row->id, entry);
  });
}

}  // namespace dbackup::host
