"""The administration in a browser: the pages of Cisco's document 44922 under ``/PAsystemadmin/``.

Pure: :mod:`fields`, :mod:`server_form`, :mod:`provider_form`, :mod:`speech_form` (what stands in a
form, and the configuration that it means), :mod:`views` (what a page shows). With trio:
:mod:`managed` (the cluster in its store), :mod:`gate` (who may come in), :mod:`live` (pages that
follow the cluster), :mod:`app` and :mod:`serving`. Needs the extra ``admin``.
"""
