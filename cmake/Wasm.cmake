# The binaries of the npm package, each with its JavaScript:
#   simd, relaxed                  <build>/wasm/
#   simd_threads, relaxed_threads  <build>/wasm-threads/{simd,relaxed}-threads: the same over shared memory
#   simd_subset, relaxed_subset    <build>/wasm-subset/: the operators of KINGLET_SUBSET alone, from the same libraries,
#                                  and kinglet/ocr's part only with KINGLET_SUBSET_OCR
#   relaxed_named                  <build>/wasm-named/: relaxed with its functions' names, and with the linker's map,
#   relaxed_subset_named           for scripts/size.mjs
# simd and relaxed are built by default, the others when asked for.

set(KINGLET_SUBSET "" CACHE STRING "Operators of the targets simd_subset and relaxed_subset; as KINGLET_OPS")
option(KINGLET_SUBSET_OCR "Those targets have what kinglet/ocr needs" OFF)

file(GLOB binding_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/bindings/embind/*.cpp")
set(ocr_sources "${CMAKE_CURRENT_SOURCE_DIR}/bindings/embind/vision.cpp")
set(thread_sources "${CMAKE_CURRENT_SOURCE_DIR}/bindings/embind/threads.cpp")
list(REMOVE_ITEM binding_sources ${ocr_sources} ${thread_sources})

add_library(kinglet_embind OBJECT ${binding_sources})
target_link_libraries(kinglet_embind PRIVATE kinglet_core kinglet_small)
add_library(kinglet_embind_ocr OBJECT ${ocr_sources})
target_link_libraries(kinglet_embind_ocr PRIVATE kinglet_core kinglet_small)
set(ocr_objects $<TARGET_OBJECTS:kinglet_embind_ocr>)

# What Binaryen does more. Large functions with one caller stay apart: core/base/inlining.hpp tells why, and brotli finds less
# to share in the larger ones that it would make of them (2 % of the download). Small ones do not, with -O3: V8 compiles a
# function when it is first called, and takes 20 microseconds for the smallest. Where Binaryen knows that nothing can throw
# (global effects), it drops what would catch it.
set(inlining-O3 "--one-caller-inline-max-function-size=120,--always-inline-max-function-size=8")
set(inlining-Oz "--one-caller-inline-max-function-size=20")

# kinglet_wasm_executable(TARGET NAME FOLDER LEVEL SOURCES...): linked with LEVEL, -O3 or -Oz.
function(kinglet_wasm_executable target name folder level)
  add_executable(${target} ${ARGN})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name}
    LINKER_LANGUAGE CXX SUFFIX .mjs RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/${folder}")
  target_link_libraries(${target} PRIVATE kinglet_small)
  target_link_options(${target} PRIVATE
    ${level} "-sBINARYEN_EXTRA_PASSES=${inlining${level}},--generate-global-effects,${level}" --no-entry -lembind
    -sMODULARIZE -sEXPORT_ES6 -sENVIRONMENT=web -sSTRICT=1
    -sFILESYSTEM=0 -sMALLOC=emmalloc
    -sALLOW_MEMORY_GROWTH -sMEMORY_GROWTH_LINEAR_STEP=1MB -sMAXIMUM_MEMORY=4GB -sSTACK_SIZE=1MB
    -sDYNAMIC_EXECUTION=0 -sEMBIND_AOT=1)   # no eval: the page may forbid it
endfunction()

# kinglet_wasm(TARGET VARIANT FOLDER LEVEL SOURCES...): <build>/FOLDER/VARIANT.{mjs,wasm}.
function(kinglet_wasm target variant folder level)
  kinglet_wasm_executable(${target} ${variant} ${folder} ${level} ${ARGN} $<TARGET_OBJECTS:kinglet_embind>)
  target_link_libraries(${target} PRIVATE kinglet_core kinglet_kernels_${variant})
  target_link_options(${target} PRIVATE -sINITIAL_HEAP=1MB -sINCOMING_MODULE_JS_API=instantiateWasm)
endfunction()

function(kinglet_wasm_named target variant folder level)
  kinglet_wasm(${target} ${variant} ${folder} ${level} ${ARGN})
  set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
  target_link_options(${target} PRIVATE --profiling-funcs
    "-Wl,-Map=${CMAKE_BINARY_DIR}/${folder}/${variant}.map,--no-demangle")
endfunction()

foreach(variant simd relaxed)
  kinglet_wasm(${variant} ${variant} wasm -O3 ${ocr_objects})
endforeach()
kinglet_wasm_named(relaxed_named relaxed wasm-named -O3 ${ocr_objects})

# ---- over shared memory, for threads ----
# Everything is taken from the libraries above but what makes the threads meet: other threads run the bodies of split loops
# only, which have nothing atomic in them. The linker would refuse such a mixture, hence --no-check-features. The code that
# catches exceptions by their type finds the type in a variable of libunwind, where it must not be thread_local: the
# main thread alone catches so.
add_library(kinglet_threads OBJECT core/runtime/thread_pool.cpp ${thread_sources})
target_compile_options(kinglet_threads PRIVATE -sSHARED_MEMORY)
target_link_libraries(kinglet_threads PRIVATE kinglet_core kinglet_small)
foreach(variant simd relaxed)
  kinglet_wasm_executable(${variant}_threads ${variant}-threads wasm-threads -O3 ${ocr_objects}
    $<TARGET_OBJECTS:kinglet_embind> $<TARGET_OBJECTS:kinglet_threads>)
  target_link_libraries(${variant}_threads PRIVATE kinglet_core kinglet_kernels_${variant})
  # web/src/threads/host.ts makes the memory, of this initial size.
  target_link_options(${variant}_threads PRIVATE -sSHARED_MEMORY -sIMPORTED_MEMORY -sINITIAL_MEMORY=16MB
    -sINCOMING_MODULE_JS_API=instantiateWasm,wasmMemory -Wl,--no-check-features -lunwind-legacyexcept)
  set_target_properties(${variant}_threads PROPERTIES EXCLUDE_FROM_ALL ON)
endforeach()
set_target_properties(kinglet_threads PROPERTIES EXCLUDE_FROM_ALL ON)

if(KINGLET_SUBSET)
  # These take the place of those in kinglet_core: an archive's member is linked only for what nothing else defines.
  set(registry "${CMAKE_CURRENT_BINARY_DIR}/generated/op_registry_subset.cpp")
  set(passes "${CMAKE_CURRENT_BINARY_DIR}/generated/passes_subset.cpp")
  kinglet_op_registry("${registry}" "${KINGLET_SUBSET}")
  kinglet_passes("${passes}" "${KINGLET_SUBSET}")
  set(subset_sources "${registry}" "${passes}")
  if(KINGLET_SUBSET_OCR)
    list(APPEND subset_sources ${ocr_objects})
  endif()
  foreach(variant simd relaxed)
    # -Oz takes Emscripten's log and pow without tables, and inlines less: 7 KiB, for 1 to 2 % of speed.
    kinglet_wasm(${variant}_subset ${variant} wasm-subset -Oz ${subset_sources})
    set_target_properties(${variant}_subset PROPERTIES EXCLUDE_FROM_ALL ON)
  endforeach()
  kinglet_wasm_named(relaxed_subset_named relaxed wasm-subset-named -Oz ${subset_sources})
endif()
