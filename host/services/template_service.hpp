#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/principal.hpp"
#include "model/template.hpp"
#include "services/bulk.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;
class Session;

/// A template with what its readers are shown of the channels it names.
struct TemplateView {
  struct Channel {
    std::string name, adapter_id;
  };
  Template row;
  std::map<std::string, Channel> channels;  ///< by id of the adapter
};

/// Templates of all kinds, which differ in their rows of kTemplateKinds and in their fields alone.
/// [any-thread]
class TemplateService {
 public:
  TemplateService(ControlPlane& control, const AuditLog& audit)
      : control_{control}, audit_{audit} {}

  std::vector<TemplateView> list(TemplateKind kind);           ///< by name
  TemplateView get(TemplateKind kind, const std::string& id);  ///< NotFound
  /// `fields` as the published API names them. Throws Error{InvalidArgument} naming the field,
  /// {AlreadyExists} when the name is taken. A new default takes the place of the old one where a
  /// kind has a single default.
  TemplateView create(const Principal& who, TemplateKind kind, const Json& fields);
  /// FailedPrecondition for what of a built-in row cannot change.
  TemplateView update(const Principal& who, TemplateKind kind, const std::string& id,
                      const Json& fields);
  /// FailedPrecondition for built-in rows, the default that must be there, and rows in use, naming
  /// the jobs. Jobs of a schedule preset fall back to their own schedule.
  void remove(const Principal& who, TemplateKind kind, const std::string& id);
  BulkOutcome remove_several(const Principal& who, TemplateKind kind,
                             const std::vector<std::string>& ids);
  /// For kinds with a single default.
  TemplateView set_default(const Principal& who, TemplateKind kind, const std::string& id);
  void clear_default(const Principal& who, TemplateKind kind);

 private:
  void remove_one(Session& session, TemplateKind kind, const std::string& id, std::string* name);

  ControlPlane& control_;
  const AuditLog& audit_;
};

}  // namespace dbackup::host
