#include "store/template_store.hpp"

#include <map>

#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {
namespace {

using Values = std::vector<std::string>;

void load_channels(Session& session, std::vector<Template>& rows, const std::string& where,
                   const Values& values) {
  std::map<std::string, Template*> by_id;
  for (Template& row : rows) {
    if (row.kind == TemplateKind::NotificationTemplate) by_id[row.id] = &row;
  }
  if (by_id.empty()) return;
  TemplateChannel channel;
  std::string template_id;
  Query query{
      session,
      "SELECT id, template_id, config_id, events FROM template_channels WHERE template_id IN "
      "(SELECT id FROM templates " +
          where + ") ORDER BY template_id, position"};
  query.out(channel.id).out(template_id).out(channel.config_id).out(channel.events);
  for (const auto& value : values) query.bind(value);
  while (query.next()) {
    const auto found = by_id.find(template_id);
    if (found != by_id.end()) found->second->channels.push_back(channel);
  }
}

std::vector<Template> select(Session& session, const std::string& where, const Values& values) {
  Template row;
  std::string kind;
  std::string content;
  long long is_default = 0;
  long long is_system = 0;
  long long created_at = 0;
  long long updated_at = 0;
  std::vector<Template> out;
  {
    Query query{session,
                "SELECT id, kind, name, description, content, is_default, is_system, created_at, "
                "updated_at FROM templates " +
                    where + " ORDER BY name, id"};
    query.out(row.id).out(kind).out(row.name).out(row.description).out(content).out(is_default);
    query.out(is_system).out(created_at).out(updated_at);
    for (const auto& value : values) query.bind(value);
    while (query.next()) {
      const auto known = parse_template_kind(kind);
      if (!known) continue;
      Template copy = row;
      copy.kind = *known;
      copy.content = columns::json_column(content);
      copy.is_default = is_default != 0;
      copy.is_system = is_system != 0;
      copy.created_at = created_at;
      copy.updated_at = updated_at;
      out.push_back(std::move(copy));
    }
  }
  load_channels(session, out, where, values);
  return out;
}

std::optional<Template> only(std::vector<Template> rows) {
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::string kind_text(TemplateKind kind) { return std::string{row_of(kind).id}; }

void write_row(Session& session, const std::string& sql, const Template& row) {
  const std::string kind = kind_text(row.kind);
  const std::string content = dump_json(row.content);
  const long long is_default = columns::flag(row.is_default);
  const long long is_system = columns::flag(row.is_system);
  const long long created_at = row.created_at;
  const long long updated_at = row.updated_at;
  Query query{session, sql};
  query.bind(kind).bind(row.name).bind(row.description).bind(content).bind(is_default);
  query.bind(is_system).bind(created_at).bind(updated_at).bind(row.id).run();
}

void write_channels(Session& session, const Template& row) {
  Query{session, "DELETE FROM template_channels WHERE template_id = :id"}.bind(row.id).run();
  for (size_t i = 0; i < row.channels.size(); ++i) {
    const TemplateChannel& channel = row.channels[i];
    const auto position = static_cast<long long>(i);
    Query query{session,
                "INSERT INTO template_channels (id, template_id, config_id, events, position) "
                "VALUES (:a, :b, :c, :d, :e)"};
    query.bind(channel.id)
        .bind(row.id)
        .bind(channel.config_id)
        .bind(channel.events)
        .bind(position)
        .run();
  }
}

std::vector<std::string> names(Session& session, const std::string& sql, const Values& values) {
  std::string name;
  Query query{session, sql};
  query.out(name);
  for (const auto& value : values) query.bind(value);
  std::vector<std::string> out;
  while (query.next()) out.push_back(name);
  return out;
}

}  // namespace

std::vector<Template> TemplateStore::list(Session& session, TemplateKind kind) const {
  return select(session, "WHERE kind = :kind", {kind_text(kind)});
}

std::vector<Template> TemplateStore::list_all(Session& session) const {
  return select(session, "", {});
}

std::optional<Template> TemplateStore::find(Session& session, TemplateKind kind,
                                            const std::string& id) const {
  return only(select(session, "WHERE kind = :kind AND id = :id", {kind_text(kind), id}));
}

std::optional<Template> TemplateStore::find_by_name(Session& session, TemplateKind kind,
                                                    const std::string& name) const {
  return only(select(session, "WHERE kind = :kind AND name = :name", {kind_text(kind), name}));
}

std::optional<Template> TemplateStore::find_default(Session& session, TemplateKind kind) const {
  return only(select(session, "WHERE kind = :kind AND is_default = 1", {kind_text(kind)}));
}

void TemplateStore::insert(Session& session, const Template& row) const {
  write_row(
      session,
      "INSERT INTO templates (kind, name, description, content, is_default, is_system, created_at, "
      "updated_at, id) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i)",
      row);
  write_channels(session, row);
}

void TemplateStore::update(Session& session, const Template& row) const {
  write_row(
      session,
      "UPDATE templates SET kind = :a, name = :b, description = :c, content = :d, is_default = :e, "
      "is_system = :f, created_at = :g, updated_at = :h WHERE id = :i",
      row);
  write_channels(session, row);
}

bool TemplateStore::remove(Session& session, TemplateKind kind, const std::string& id) const {
  const std::string text = kind_text(kind);
  return Query{session, "DELETE FROM templates WHERE kind = :kind AND id = :id"}
             .bind(text)
             .bind(id)
             .run() > 0;
}

void TemplateStore::clear_default(Session& session, TemplateKind kind, TimeMs now) const {
  const std::string text = kind_text(kind);
  const long long at = now;
  Query{
      session,
      "UPDATE templates SET is_default = 0, updated_at = :at WHERE kind = :kind AND is_default = 1"}
      .bind(at)
      .bind(text)
      .run();
}

std::vector<std::string> TemplateStore::jobs_using(Session& session, const std::string& id) const {
  return names(session,
               "SELECT name FROM jobs WHERE naming_template_id = :a "
               "OR id IN (SELECT job_id FROM job_destinations WHERE retention_policy_id = :b) "
               "OR id IN (SELECT job_id FROM job_notification_templates WHERE template_id = :c) "
               "ORDER BY name",
               {id, id, id});
}

std::vector<std::string> TemplateStore::names_using_adapter(Session& session,
                                                            const std::string& config_id) const {
  return names(session,
               "SELECT name FROM templates WHERE id IN (SELECT template_id FROM template_channels "
               "WHERE config_id = :id) ORDER BY name",
               {config_id});
}

}  // namespace dbackup::host
