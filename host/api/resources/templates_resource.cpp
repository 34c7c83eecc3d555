#include "api/resources/templates_resource.hpp"

#include "api/bulk_body.hpp"
#include "api/render.hpp"
#include "api/schemas_templates.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr Access kRead =
    Access::either(Permission::TemplatesRead, Permission::TemplatesWrite, Permission::JobsRead,
                   Permission::JobsWrite, Permission::SettingsRead);
constexpr Access kWrite{Permission::TemplatesWrite};

/// /api/templates/<kind>/…: the rows are those of the kinds, so the segment is one of them.
TemplateKind kind_of(const ApiRequest& request) {
  return parse_template_kind(request.http.segments.at(2)).value();
}

HttpResponse one(int status, const TemplateView& view) {
  return json_answer(status, render::wrapped(render::template_row(view)));
}

}  // namespace

template <TemplateKind kKind>
void TemplatesResource::mount_kind(RouteTable& table) {
  const TemplateKindRow& kind = row_of(kKind);
  const std::string all = "/api/templates/" + std::string{kind.id};
  const std::string single = all + "/{id}";
  const std::string bulk = all + "/bulk";
  const std::string default_of_one = single + "/default";
  const std::string any_default = all + "/default";
  const std::string noun{kind.one};
  const std::string nouns{kind.many};
  // Built here, and kept until the rows have copied them.
  const std::string words[] = {"All " + nouns + ", by name",
                               "Create a " + noun,
                               "One " + noun,
                               "Change a " + noun + "; what is left out stays",
                               "Delete a " + noun,
                               "Delete several " + nouns,
                               "Make a " + noun + " the default",
                               "Have no default " + noun};
  const Route<TemplatesResource> routes[] = {
      {.method = Method::Get,
       .path = all,
       .access = kRead,
       .handler = &TemplatesResource::list,
       .summary = words[0],
       .section = "Templates",
       .response = schemas::template_list<kKind>},
      {.method = Method::Post,
       .path = all,
       .access = kWrite,
       .handler = &TemplatesResource::create,
       .summary = words[1],
       .section = "Templates",
       .body = BodyRule::Required,
       .request = schemas::template_create<kKind>,
       .response = schemas::template_answer<kKind>,
       .success = 201,
       .failures = kCreateFailures,
       .idempotent = true},
      {.method = Method::Get,
       .path = single,
       .access = kRead,
       .handler = &TemplatesResource::get,
       .summary = words[2],
       .section = "Templates",
       .response = schemas::template_answer<kKind>,
       .failures = kMissing,
       .etag = true},
      {.method = Method::Put,
       .path = single,
       .access = kWrite,
       .handler = &TemplatesResource::update,
       .summary = words[3],
       .section = "Templates",
       .body = BodyRule::Required,
       .request = schemas::template_update<kKind>,
       .response = schemas::template_answer<kKind>,
       .failures = kChangeFailures,
       .etag = true},
      {.method = Method::Delete,
       .path = single,
       .access = kWrite,
       .handler = &TemplatesResource::remove,
       .summary = words[4],
       .section = "Templates",
       .response = schema::success_answer,
       .failures = kChangeFailures,
       .etag = true},
      {.method = Method::Post,
       .path = bulk,
       .access = kWrite,
       .handler = &TemplatesResource::bulk,
       .summary = words[5],
       .section = "Templates",
       .body = BodyRule::Required,
       .request = schemas::templates_bulk,
       .response = schemas::bulk_answer,
       .failures = kBadRequest},
  };
  table.mount<TemplatesResource>(*this, routes);
  if (!kind.single_default) return;
  const Route<TemplatesResource> defaults[] = {
      {.method = Method::Put,
       .path = default_of_one,
       .access = kWrite,
       .handler = &TemplatesResource::set_default,
       .summary = words[6],
       .section = "Templates",
       .response = schemas::template_answer<kKind>,
       .failures = kChangeFailures},
      {.method = Method::Delete,
       .path = any_default,
       .access = kWrite,
       .handler = &TemplatesResource::clear_default,
       .summary = words[7],
       .section = "Templates",
       .response = schema::success_answer},
  };
  table.mount<TemplatesResource>(*this, defaults);
}

void TemplatesResource::mount(RouteTable& table) {
  mount_kind<TemplateKind::RetentionPolicy>(table);
  mount_kind<TemplateKind::SchedulePreset>(table);
  mount_kind<TemplateKind::NamingTemplate>(table);
  mount_kind<TemplateKind::NotificationTemplate>(table);
  mount_kind<TemplateKind::ExcludePreset>(table);
  const Route<TemplatesResource> groups[] = {
      {.method = Method::Get,
       .path = "/api/templates/exclude-groups",
       .access = kRead,
       .handler = &TemplatesResource::exclude_groups,
       .summary = "The built-in groups of exclude patterns",
       .section = "Templates",
       .response = schemas::exclude_groups},
  };
  table.mount<TemplatesResource>(*this, groups);
}

HttpResponse TemplatesResource::list(const ApiRequest& request, const Principal&) {
  Json out = Json::array();
  for (const auto& view : services_.templates.list(kind_of(request)))
    out.push_back(render::template_row(view));
  return json_answer(200, render::wrapped(std::move(out)));
}

HttpResponse TemplatesResource::create(const ApiRequest& request, const Principal& who) {
  return one(201, services_.templates.create(who, kind_of(request), request.body));
}

HttpResponse TemplatesResource::get(const ApiRequest& request, const Principal&) {
  return one(200, services_.templates.get(kind_of(request), request.param()));
}

HttpResponse TemplatesResource::update(const ApiRequest& request, const Principal& who) {
  return one(200, services_.templates.update(who, kind_of(request), request.param(), request.body));
}

HttpResponse TemplatesResource::remove(const ApiRequest& request, const Principal& who) {
  services_.templates.remove(who, kind_of(request), request.param());
  return json_answer(200, {{"success", true}});
}

HttpResponse TemplatesResource::bulk(const ApiRequest& request, const Principal& who) {
  const TemplateKind kind = kind_of(request);
  const BulkCommand command = parse_bulk(request.body);
  return json_answer(200,
                     render::bulk(services_.templates.remove_several(who, kind, command.entries),
                                  {.one = row_of(kind).one,
                                   .many = row_of(kind).many,
                                   .verb = "delete",
                                   .past = "deleted"}));
}

HttpResponse TemplatesResource::set_default(const ApiRequest& request, const Principal& who) {
  return one(200, services_.templates.set_default(who, kind_of(request), request.param()));
}

HttpResponse TemplatesResource::clear_default(const ApiRequest& request, const Principal& who) {
  services_.templates.clear_default(who, kind_of(request));
  return json_answer(200, {{"success", true}});
}

HttpResponse TemplatesResource::exclude_groups(const ApiRequest&, const Principal&) {
  Json out = Json::array();
  for (const auto& group : kExcludeGroups) {
    Json patterns = Json::array();
    for (std::string_view rest = group.patterns; !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      patterns.push_back(std::string{rest.substr(0, end)});
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    out.push_back({{"id", std::string{group.id}},
                   {"label", std::string{group.label}},
                   {"patterns", std::move(patterns)}});
  }
  return json_answer(200, render::wrapped(std::move(out)));
}

}  // namespace dbackup::host
