#pragma once

#include <soci/soci.h>

#include <string>

#include "store/database.hpp"

namespace dbackup::host {

/// A statement with by-position parameters and plain output variables. `bound` and `out` variables must
/// outlive it; nothing temporary is ever bound.
class Query {
 public:
  Query(Session& session, std::string sql) : statement_{session.raw()}, sql_{std::move(sql)} {}

  template <class T>
  Query& out(T& variable) {
    statement_.exchange(soci::into(variable));
    return *this;
  }
  template <class T>
  Query& bind(const T& value) {
    statement_.exchange(soci::use(value));
    return *this;
  }
  template <class T>
  Query& bind(T&& temporary) = delete;
  /// The next row into the output variables; false after the last.
  bool next() {
    if (!is_started_) start(false);
    return statement_.fetch();
  }
  /// Lets a statement that was kept run once more, with what its variables hold now. The rows of the run
  /// before must have been read to their end: an open cursor would pin a snapshot.
  void again() {
    if (is_started_) statement_.execute(false);
  }
  /// For statements without rows; the number of rows changed.
  long long run() {
    start(true);
    return statement_.get_affected_rows();
  }

 private:
  void start(bool with_data) {
    statement_.alloc();
    statement_.prepare(sql_);
    statement_.define_and_bind();
    statement_.execute(with_data);
    is_started_ = true;
  }

  soci::statement statement_;
  std::string sql_;
  bool is_started_ = false;
};

}  // namespace dbackup::host
