# The operator registry: every KINGLET_OP(Name, ...) and KINGLET_OP_IN(token, "domain", Name, ...) line of
# core/ops/**/*.cpp becomes an entry of kOpDefs, in the order of files and lines. There are no static
# constructors; an operator that is left out of the list is dropped by the linker.

# kinglet_wants_pass(LINE KEEP OUT): whether a build of the operators KEEP needs the pass of this line of the table.
function(kinglet_wants_pass line keep out)
  set(wanted TRUE)
  if(line MATCHES "\\.from = {([^}]*)}")
    string(REGEX MATCHALL "[A-Za-z0-9.]+" origins "${CMAKE_MATCH_1}")
    set(wanted FALSE)
    foreach(origin IN LISTS origins)
      if(origin IN_LIST keep)
        set(wanted TRUE)
      endif()
    endforeach()
  endif()
  if(line MATCHES "\\.needs = {([^}]*)}")
    string(REGEX MATCHALL "[A-Za-z0-9.]+" needs "${CMAKE_MATCH_1}")
    foreach(need IN LISTS needs)
      if(NOT need IN_LIST keep)
        set(wanted FALSE)
      endif()
    endforeach()
  endif()
  set(${out} ${wanted} PARENT_SCOPE)
endfunction()

# kinglet_made_by_passes(KEEP OUT): what a build of the operators KEEP needs besides: what the passes of the table in
# core/graph/passes/passes.cpp make of them, and what calls of functions become (core/model/function_inliner.cpp).
function(kinglet_made_by_passes keep out)
  set(made Identity)
  set(table "${CMAKE_CURRENT_SOURCE_DIR}/core/graph/passes/passes.cpp")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${table}")
  file(STRINGS "${table}" lines REGEX "\\.makes = {")
  if(NOT lines)
    message(FATAL_ERROR "${table}: no pass that makes an operator was found")
  endif()
  foreach(line IN LISTS lines)
    string(REGEX MATCH "\\.makes = {([^}]*)}" _ "${line}")
    string(REGEX MATCHALL "[A-Za-z0-9.]+" operators "${CMAKE_MATCH_1}")
    kinglet_wants_pass("${line}" "${keep}" wanted)
    if(wanted)
      list(APPEND made ${operators})
    endif()
  endforeach()
  set(${out} "${made}" PARENT_SCOPE)
endfunction()

# kinglet_passes(OUTPUT KEEP): writes core/graph/passes/passes.cpp to OUTPUT without the lines of its table that a build of
# the operators KEEP does not need; the linker drops those passes.
function(kinglet_passes output keep)
  string(REPLACE "," ";" keep "${keep}")
  kinglet_made_by_passes("${keep}" made)
  list(APPEND keep ${made})
  set(table "${CMAKE_CURRENT_SOURCE_DIR}/core/graph/passes/passes.cpp")
  file(READ "${table}" text)
  file(STRINGS "${table}" lines REGEX "\\.(from|needs) = {")
  foreach(line IN LISTS lines)
    kinglet_wants_pass("${line}" "${keep}" wanted)
    if(NOT wanted)
      string(REPLACE "${line}\n" "" text "${text}")
    endif()
  endforeach()
  file(CONFIGURE OUTPUT "${output}" CONTENT "${text}" @ONLY)
endfunction()

# kinglet_op_registry(OUTPUT KEEP): writes OUTPUT. KEEP names the operators to keep, those of other domains than
# ai.onnx as domain.Name; empty keeps all.
function(kinglet_op_registry output keep)
  string(REPLACE "," ";" keep "${keep}")
  list(TRANSFORM keep STRIP)
  set(asked_for "${keep}")
  if(keep)
    kinglet_made_by_passes("${keep}" made)
    list(APPEND keep ${made})
  endif()
  # Gradient is no operator of the registry: core/graph/gradient*.cpp make others of it, and name those.
  set(gradient "ai.onnx.preview.training.Gradient")
  set(gradient_texts "")
  set(expand nullptr)
  if(NOT keep OR gradient IN_LIST keep)
    set(expand expand_gradients)
  endif()
  if(gradient IN_LIST keep)
    foreach(part gradient gradient_rules)
      file(READ "${CMAKE_CURRENT_SOURCE_DIR}/core/graph/${part}.cpp" text)
      string(APPEND gradient_texts "${text}")
    endforeach()
  endif()
  set(declarations "")
  set(entries "")
  set(symbols "")
  set(names "")
  set(kept 0)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/core/ops/*.cpp")
  list(SORT files)
  foreach(file IN LISTS files)
    # A change of the file's text runs CMake again: its operators may have changed.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(STRINGS "${file}" lines REGEX "^[ \t]*KINGLET_OP(_IN)?[ \t]*\\(")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "[ \t]+" "" line "${line}")
      if(line MATCHES "^KINGLET_OP\\(([A-Za-z0-9_]+)[,)]")
        set(domain ai_onnx)
        set(name "${CMAKE_MATCH_1}")
        set(id "${name}")
      elseif(line MATCHES "^KINGLET_OP_IN\\(([A-Za-z0-9_]+),\"([^\"]*)\",([A-Za-z0-9_]+)[,)]")
        set(domain "${CMAKE_MATCH_1}")
        set(name "${CMAKE_MATCH_3}")
        set(id "${CMAKE_MATCH_2}.${name}")
      else()
        message(FATAL_ERROR "${file}: cannot read the operator's name in: ${line}")
      endif()
      set(symbol "kOpDef_${domain}_${name}")
      if(symbol IN_LIST symbols)
        message(FATAL_ERROR "${file}: ${domain}.${name} is registered twice")
      endif()
      list(APPEND symbols "${symbol}")
      list(APPEND names "${id}")
      if(NOT keep OR id IN_LIST keep OR gradient_texts MATCHES "[^A-Za-z]${name}[^A-Za-z]")
        math(EXPR kept "${kept} + 1")
        string(APPEND declarations "extern const OpDef ${symbol};\n")
        string(APPEND entries "    &${symbol},\n")
      endif()
    endforeach()
  endforeach()
  list(REMOVE_ITEM asked_for "${gradient}")
  foreach(id IN LISTS asked_for made)
    if(NOT id IN_LIST names)
      message(FATAL_ERROR "core/ops/ has no operator ${id}")
    endif()
  endforeach()
  list(LENGTH symbols count)
  message(STATUS "Operators: ${kept} of ${count}")
  if(entries STREQUAL "")
    set(entries "    nullptr,\n")
    set(size 0)
  else()
    set(size "sizeof(kOpDefs) / sizeof(kOpDefs[0])")
  endif()
  file(CONFIGURE OUTPUT "${output}" @ONLY CONTENT
"// Generated by cmake/OpRegistry.cmake from the KINGLET_OP lines of core/ops/.
#include \"graph/gradient.hpp\"
#include \"ops/op.hpp\"

namespace kinglet::ops {
@declarations@
extern const OpDef* const kOpDefs[];
extern const size_t kOpDefCount;
const OpDef* const kOpDefs[] = {
@entries@};
const size_t kOpDefCount = @size@;
}  // namespace kinglet::ops

namespace kinglet {
void (*const kExpandGradients)(Graph&) = @expand@;
}
")
endfunction()
