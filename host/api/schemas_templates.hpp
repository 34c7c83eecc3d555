#pragma once

#include "api/schema.hpp"
#include "model/template.hpp"

/// Schemas of templates: what the kinds share is written once, and their rows name the kind.
namespace dbackup::host::schemas {

/// One row as answers show it.
Json template_row(TemplateKind kind);
/// A request; `is_new`: with what a new row cannot do without.
Json template_request(TemplateKind kind, bool is_new);
Json exclude_groups();
Json templates_bulk();

template <TemplateKind kKind>
Json template_list() {
  return schema::wrapped(schema::list_of(template_row(kKind)));
}
template <TemplateKind kKind>
Json template_answer() {
  return schema::wrapped(template_row(kKind));
}
template <TemplateKind kKind>
Json template_create() {
  return template_request(kKind, /*is_new=*/true);
}
template <TemplateKind kKind>
Json template_update() {
  return template_request(kKind, /*is_new=*/false);
}

}  // namespace dbackup::host::schemas
