#pragma once

#include <string>

#include "base/error.hpp"

namespace dbackup::host {

/// Bad input in one named member of a request: Error{InvalidArgument} that knows which.
class FieldError : public Error {
 public:
  FieldError(std::string field, const std::string& message)
      : Error{ErrorCode::InvalidArgument, message}, field_{std::move(field)} {}
  /// "destinations[0].configId"; "": the request as a whole.
  const std::string& field() const noexcept { return field_; }

 private:
  std::string field_;
};

}  // namespace dbackup::host
