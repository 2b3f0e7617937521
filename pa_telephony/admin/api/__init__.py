"""The JSON API of the administration under ``/api/v1/``, by the same functions as the pages.

Pure: :mod:`shapes` (what a body is like), :mod:`operations` (all that can be asked for),
:mod:`description` (the same as OpenAPI 3.1). With trio: :mod:`app` and what answers.
"""
