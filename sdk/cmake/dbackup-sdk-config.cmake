# find_package(dbackup-sdk 1): the targets dbackup::sdk and dbackup::sdk_testing, and dbackup_add_plugin().
include(CMakeFindDependencyMacro)
find_dependency(nlohmann_json 3.11)
include("${CMAKE_CURRENT_LIST_DIR}/dbackup-sdk-targets.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/DbackupPlugin.cmake")
