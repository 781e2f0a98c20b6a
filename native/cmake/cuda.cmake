# The CUDA backend. Tuned target sm_90a; sm_80 and its PTX are the generic path. cudart is linked statically, so that the
# library needs a driver and nothing else.
set(LONGER_CUDA_ARCHITECTURES 80-virtual 80-real 90a-real CACHE STRING "What to compile CUDA for; fewer compile faster")
set(CMAKE_CUDA_ARCHITECTURES ${LONGER_CUDA_ARCHITECTURES})
if(NOT CMAKE_CUDA_COMPILER)
  find_program(LONGER_NVCC nvcc HINTS /usr/local/cuda/bin $ENV{CUDA_HOME}/bin REQUIRED)
  set(CMAKE_CUDA_COMPILER ${LONGER_NVCC})
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)

file(GLOB_RECURSE LONGER_CUDA_SOURCES CONFIGURE_DEPENDS src/*.cu)
add_library(longer_core_cuda STATIC $<TARGET_OBJECTS:longer_host> ${LONGER_TIER_OBJECTS} ${LONGER_CUDA_SOURCES})
target_compile_options(longer_core_cuda PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings --extended-lambda --expt-relaxed-constexpr -Xptxas=-v -Xcompiler=-Wall,-Wextra
    -Xcompiler=-ffile-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}/=>)
# A kernel that spills registers to local memory does not compile, except where it is said why it may.
set(LONGER_SPILLING_SOURCES
  # product_kernel, plain fp32: 32 bytes once a block on sm_90a, outside its loop over the depth.
  ${CMAKE_CURRENT_SOURCE_DIR}/src/ops/linear/linear_cuda.cu)
foreach(source ${LONGER_CUDA_SOURCES})
  if(NOT source IN_LIST LONGER_SPILLING_SOURCES)
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-Xptxas=--warn-on-spills,--warning-as-error")
  endif()
endforeach()
# Source lines for profilers; they hold the path of the build, so nothing that is shipped has them.
target_compile_options(longer_core_cuda PRIVATE $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<CONFIG:RelWithDebInfo>>:-lineinfo>)
target_link_libraries(longer_core_cuda PUBLIC longer_options Threads::Threads ${CMAKE_DL_LIBS} CUDA::cudart_static)
set_target_properties(longer_core_cuda PROPERTIES
  CUDA_RUNTIME_LIBRARY Static CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES}")
install(TARGETS longer_core_cuda ARCHIVE DESTINATION lib COMPONENT longer_core_cuda)
# Beside the archive, for whoever links it (build-native).
install(FILES ${CUDA_cudart_static_LIBRARY} DESTINATION lib COMPONENT longer_core_cuda)
